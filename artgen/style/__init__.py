"""Style transfer by statistics of the painting itself: no weights, no training."""
