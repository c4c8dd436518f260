"""Who bought what and when."""
