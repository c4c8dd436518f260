"""Search for articles by their photos: vectors in a folder, the nearest of them, filters, duplicates, a page."""
