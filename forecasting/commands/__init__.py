"""The commands train, forecast, models and simulate."""
