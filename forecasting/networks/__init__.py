"""Networks: encoders, heads, transforms and how they are composed."""
