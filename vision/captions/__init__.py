"""Captions of photos."""
