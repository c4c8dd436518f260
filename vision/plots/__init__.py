"""Figures of a vision run."""
