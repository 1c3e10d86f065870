"""The training loop with its checkpoints, weight averages, reports and resuming."""
