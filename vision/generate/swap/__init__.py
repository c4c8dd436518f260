"""Articles that are swapped on photos of people."""
