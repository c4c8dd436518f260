"""Generative adversarial networks: pictures of articles that are drawn, not photographed."""
