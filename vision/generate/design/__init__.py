"""Garments with a chosen colour, texture and shape."""
