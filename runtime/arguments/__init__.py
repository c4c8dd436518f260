"""What arguments have to be, and errors that name them."""
