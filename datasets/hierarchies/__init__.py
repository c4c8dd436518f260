"""Sums of series by what articles have in common."""
