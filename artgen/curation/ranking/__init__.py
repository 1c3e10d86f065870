"""Orders, near-duplicates and taste."""
