"""Models of series: composed estimators, predictors and scenarios."""
