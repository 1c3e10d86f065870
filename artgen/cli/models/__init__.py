"""Commands of model files and weights."""
