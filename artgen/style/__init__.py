"""Style transfer: by patches of the painting itself, which needs no training, or by a trained network."""
