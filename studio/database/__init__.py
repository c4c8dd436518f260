"""What the studio keeps: tables, and how they came to be."""
