"""What `AnalogEstimator` follows: stretches of the past, how alike they are, where they begin."""
