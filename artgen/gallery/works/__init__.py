"""Artworks to publish: collected from runs and folders, with their dates, addresses and site settings."""
