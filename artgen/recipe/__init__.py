"""The recipe file: read it, say what is wrong with it, draw a candidate from it."""

from artgen.recipe.loading import load
from artgen.recipe.model import DrawnCandidate, Gallery, Recipe, draw
from artgen.recipe.schema import schema

__all__ = ["DrawnCandidate", "Gallery", "Recipe", "draw", "load", "schema"]
