"""Model families, one a file: the networks and losses of each, with its paper and the deviations from it."""

from __future__ import annotations

import pkgutil

from artgen.training.engine.family import ModelFamily, TrainingContext
from artgen.training.material.material import TrainingDataset
from artgen.training.recipes import TrainingRecipe


def build_family(recipe: TrainingRecipe, dataset: TrainingDataset, context: TrainingContext) -> ModelFamily:
    """Build the networks, optimisers and losses of a recipe's family.

    Args:
        recipe: the recipe, which says where the family's class is.
        dataset: the images.
        context: the folder, device and process.
    """
    family: ModelFamily = pkgutil.resolve_name(recipe.find_training_class())(recipe, dataset, context)
    return family
