"""The commands about people in articles."""
