"""Model files: loading, saving, headers, the shipped models, checkpoints of other programs."""
