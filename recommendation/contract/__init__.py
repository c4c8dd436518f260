"""What a recommender is, what it reads, and how it is stored."""
