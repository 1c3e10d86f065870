"""Style transfer by patches."""
