"""Model families, one a file: the networks and losses of each, with its paper and the deviations from it."""

from __future__ import annotations

from artgen.training.engine.family import ModelFamily, TrainingContext
from artgen.training.material.material import TrainingDataset
from artgen.training.recipes import TrainingRecipe
from artgen.training.recipes.cyclegan import CycleGANRecipe
from artgen.training.recipes.dcgan import DCGANR3Recipe, DCGANRecipe
from artgen.training.recipes.fast_style import FastStyleRecipe
from artgen.training.recipes.pix2pix import Pix2PixRecipe
from artgen.training.recipes.upimage import UpImageRecipe


def build_family(recipe: TrainingRecipe, dataset: TrainingDataset, context: TrainingContext) -> ModelFamily:
    """Build the networks, optimisers and losses of a recipe's family.

    Args:
        recipe: the recipe, whose class decides the family.
        dataset: the images.
        context: the folder, device and process.
    """
    match recipe:
        case UpImageRecipe():
            from artgen.training.families.upimage import UpImageTraining

            return UpImageTraining(recipe, dataset, context)
        case DCGANRecipe():
            from artgen.training.families.dcgan import DCGANTraining

            return DCGANTraining(recipe, dataset, context)
        case DCGANR3Recipe():
            from artgen.training.families.dcgan_r3 import DCGANR3Training

            return DCGANR3Training(recipe, dataset, context)
        case Pix2PixRecipe():  # includes the recipes of ``mix``
            from artgen.training.families.pix2pix import Pix2PixTraining

            return Pix2PixTraining(recipe, dataset, context)
        case CycleGANRecipe():
            from artgen.training.families.cyclegan import CycleGANTraining

            return CycleGANTraining(recipe, dataset, context)
        case FastStyleRecipe() if recipe.is_perceptual:
            from artgen.training.families.perceptual import PerceptualTraining

            return PerceptualTraining(recipe, dataset, context)
        case FastStyleRecipe():
            from artgen.training.families.distilled import DistilledTraining

            return DistilledTraining(recipe, dataset, context)
    raise TypeError(type(recipe).__name__)
