"""Search for the settings of a model, over windows at the end of its training data."""
