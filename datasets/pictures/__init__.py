"""Catalogues of articles with photos and labels."""
