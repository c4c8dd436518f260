"""Grids of models, datasets and seeds."""
