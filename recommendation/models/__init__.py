"""Simple recommenders to compare with, and those of `implicit`."""
