"""Models of pictures. Empty so far: see the README for what is planned."""
