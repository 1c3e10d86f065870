"""Figures, samples and cards of a trained model."""
