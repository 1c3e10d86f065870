"""Model files and checkpoints of other programs."""
