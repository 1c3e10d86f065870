"""Feature networks (VGG, SqueezeNet) for style transfer and perceptual losses, and their weights."""
