"""Commands of training: ``train`` and ``data``."""
