"""TOML files: documents, draws, schemas and messages, below every room that has keys."""
