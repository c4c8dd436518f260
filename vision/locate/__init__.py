"""Where on a photo the article is."""
