"""The recipe file: loading and validation, drawing of candidates, its JSON Schema."""

from artgen.recipe.loading import load_recipe
from artgen.recipe.model import CandidateDraws, DrawnCandidate, Gallery, Recipe, draw_candidate
from artgen.recipe.schema import recipe_schema
from artgen.recipe.variation import Lineage

__all__ = [
    "CandidateDraws",
    "DrawnCandidate",
    "Gallery",
    "Lineage",
    "Recipe",
    "draw_candidate",
    "load_recipe",
    "recipe_schema",
]
