"""Users' own tables as datasets."""
