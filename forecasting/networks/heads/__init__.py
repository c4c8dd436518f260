"""Emission heads: from a context vector to the values of all series."""
