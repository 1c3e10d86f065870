"""The tile engine."""
