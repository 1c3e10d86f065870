"""Runs on disk: store, decisions, stage cache, provenance."""
