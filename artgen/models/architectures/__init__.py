"""The architectures of all trained networks, one network a file."""
