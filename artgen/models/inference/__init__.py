"""Inference: trained networks applied to images."""
