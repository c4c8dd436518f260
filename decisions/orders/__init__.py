"""How much to order of each article, and of what several share."""
