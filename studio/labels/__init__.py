"""Labels of articles: what a run answered, what people changed, and what is learnt again."""
