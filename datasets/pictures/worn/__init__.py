"""People in articles: photos of persons beside packshots of what they wear."""
