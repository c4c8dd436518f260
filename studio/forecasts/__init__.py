"""Forecasts of a trained model, and changed futures."""
