"""How files are read that somebody else may have written: closed names, kinds, declared sizes."""
