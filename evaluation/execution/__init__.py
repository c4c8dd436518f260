"""Jobs and the workers that run them."""
