"""The commands of `hemline vision`."""
