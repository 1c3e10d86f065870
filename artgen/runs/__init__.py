"""A run on disk: store, stage cache, provenance."""
