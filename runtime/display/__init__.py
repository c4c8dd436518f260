"""What users see of objects and of long works."""
