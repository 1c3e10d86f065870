"""Discriminators (critics), their losses and augmentations."""
