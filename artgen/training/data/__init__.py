"""``artgen data``: what makes folders fit to be learned from."""
