"""One file a family: its networks and losses, headed by paper and deviations."""

from __future__ import annotations

from artgen.training.engine.family import Family, Place
from artgen.training.material.material import Material
from artgen.training.recipes import TrainingRecipe
from artgen.training.recipes.cyclegan import CycleGANRecipe
from artgen.training.recipes.dcgan import DCGANR3Recipe, DCGANRecipe
from artgen.training.recipes.fast_style import FastStyleRecipe
from artgen.training.recipes.pix2pix import Pix2PixRecipe
from artgen.training.recipes.upimage import UpImageRecipe


def build(recipe: TrainingRecipe, material: Material, place: Place) -> Family:
    """The family of ``recipe`` over ``material``, ready for the loop."""
    match recipe:
        case UpImageRecipe():
            from artgen.training.families.upimage import UpImageTraining

            return UpImageTraining(recipe, material, place)
        case DCGANRecipe():
            from artgen.training.families.dcgan import DCGANTraining

            return DCGANTraining(recipe, material, place)
        case DCGANR3Recipe():
            from artgen.training.families.dcgan_r3 import DCGANR3Training

            return DCGANR3Training(recipe, material, place)
        case Pix2PixRecipe():  # mix, too
            from artgen.training.families.pix2pix import Pix2PixTraining

            return Pix2PixTraining(recipe, material, place)
        case CycleGANRecipe():
            from artgen.training.families.cyclegan import CycleGANTraining

            return CycleGANTraining(recipe, material, place)
        case FastStyleRecipe() if recipe.by_features:
            from artgen.training.families.perceptual import PerceptualTraining

            return PerceptualTraining(recipe, material, place)
        case FastStyleRecipe():
            from artgen.training.families.distilled import DistilledTraining

            return DistilledTraining(recipe, material, place)
    raise TypeError(type(recipe).__name__)
