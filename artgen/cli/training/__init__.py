"""Commands to train and to prepare data."""
