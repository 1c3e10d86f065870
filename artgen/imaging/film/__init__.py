"""Reading and writing of films: frames, sound, scene cuts."""
