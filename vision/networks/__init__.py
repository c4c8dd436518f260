"""Networks that read photos."""
