"""Output on a terminal: messages, progress, tables."""
