"""The one training loop: seeded epochs, checkpoints, and a run of Lightning."""
