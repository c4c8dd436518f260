"""Simulated sales with known effects."""
