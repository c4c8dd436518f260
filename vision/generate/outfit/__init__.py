"""Photos of people in chosen articles and poses."""
