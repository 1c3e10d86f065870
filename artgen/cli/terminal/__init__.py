"""What a person reads: messages, progress, tables."""
