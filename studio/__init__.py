"""The studio: pages on which people work with labels of photos, forecasts and scenarios."""
