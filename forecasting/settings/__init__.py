"""The shipped configuration, a TOML file a dataset."""
