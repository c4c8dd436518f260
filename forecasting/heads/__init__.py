"""Emission heads: from a context vector to a joint density over the series."""
