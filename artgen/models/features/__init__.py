"""Networks that describe pictures, and their weights."""
