"""Commands of models: ``models`` with import, export, measure and pull."""
