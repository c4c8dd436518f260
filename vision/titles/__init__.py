"""What titles and other words of a shop say, as vectors."""
