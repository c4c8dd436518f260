"""Models of pictures: classify, describe and embed articles from their photos."""
