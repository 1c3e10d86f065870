"""Commands that make pictures."""
