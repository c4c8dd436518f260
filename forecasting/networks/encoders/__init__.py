"""Causal encoders of the past: unrolled equals step by step."""
