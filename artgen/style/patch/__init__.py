"""Style transfer by patches of the paintings, without a network."""
