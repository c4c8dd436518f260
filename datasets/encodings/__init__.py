"""Words of a table as numbers that models read: categories and free texts."""
