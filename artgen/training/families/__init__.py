"""One file a family: its networks and losses, headed by paper and deviations."""

from __future__ import annotations

from artgen.training.family import Family, Place
from artgen.training.material import Material
from artgen.training.recipes import TrainingRecipe
from artgen.training.recipes.upimage import UpImageRecipe


def build(recipe: TrainingRecipe, material: Material, place: Place) -> Family:
    """The family of ``recipe`` over ``material``, ready for the loop."""
    match recipe:
        case UpImageRecipe():
            from artgen.training.families.upimage import UpImageTraining

            return UpImageTraining(recipe, material, place)
    raise TypeError(type(recipe).__name__)
