"""Entries: one multivariate series with its covariates."""
