"""The recipe file: read it, say what is wrong with it, draw a candidate from it."""

from artgen.recipe.loading import load
from artgen.recipe.model import DrawnCandidate, Gallery, Recipe, draw
from artgen.recipe.schema import schema
from artgen.recipe.variation import Lineage

__all__ = ["DrawnCandidate", "Gallery", "Lineage", "Recipe", "draw", "load", "schema"]
