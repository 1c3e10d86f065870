"""Style transfer by optimising the pixels of an image."""
