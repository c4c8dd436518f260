"""Generators and critics, and the frozen forms that files hold of them."""
