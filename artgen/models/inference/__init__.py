"""Trained networks applied to pictures."""
