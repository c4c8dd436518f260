"""Series as one tensor, and windows of it."""
