"""Training images: decoding, held-out images, pairs by name, and crops."""
