"""A source, a step and an architecture for artgen. Imports nothing: artgen imports what a recipe uses."""
