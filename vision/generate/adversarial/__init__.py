"""Adversarial training: losses, penalties, augmentation, and what is watched."""
