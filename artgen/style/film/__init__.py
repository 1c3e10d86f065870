"""Style transfer for films."""
