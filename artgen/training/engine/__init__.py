"""The training loop: checkpoints, EMA, resume, progress."""
