"""Models by name, and how each is made for a dataset."""
