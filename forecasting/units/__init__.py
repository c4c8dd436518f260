"""The units in which a network reads a series: scaled values or normal scores."""
