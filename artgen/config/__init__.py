"""TOML files: parsing with line numbers, drawn values, descriptions of fields, and error messages."""
