"""Films: frames, sound, scene cuts, writing."""
