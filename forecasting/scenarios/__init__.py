"""Scenarios: changed futures, simulated under common random numbers."""
