"""Metrics, sample images and model cards of trained models."""
