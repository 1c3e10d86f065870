"""Training: a recipe and folders of images become a model file."""
