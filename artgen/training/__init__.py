"""Training of models from recipes and folders of images."""
