"""Style transfer: by patches of the painting, by a trained network, or by optimising pixels."""
