"""Classification of photos."""
