"""Which price to ask for each article in each step, so that the stock brings the most."""
