"""Simulated figures on disk, in the layouts that photos of people have."""
