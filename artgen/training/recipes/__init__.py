"""Pydantic models of the training recipes ``recipes/train/*.toml``, one file a family. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from artgen.config.messages import did_you_mean
from artgen.errors import ArtgenError
from artgen.plugins import FAMILY_GROUP, PluginRegistry
from artgen.training.recipes.base import TrainingRecipe
from artgen.training.recipes.cyclegan import CycleGANRecipe
from artgen.training.recipes.dcgan import DCGANR3Recipe, DCGANRecipe
from artgen.training.recipes.fast_style import FastStyleRecipe
from artgen.training.recipes.mix import MixRecipe
from artgen.training.recipes.pix2pix import Pix2PixRecipe
from artgen.training.recipes.upimage import UpImageRecipe

FAMILIES: PluginRegistry[TrainingRecipe] = PluginRegistry(
    FAMILY_GROUP,
    TrainingRecipe,
    {
        "upimage": UpImageRecipe,
        "pix2pix": Pix2PixRecipe,
        "mix": MixRecipe,
        "dcgan": DCGANRecipe,
        "dcgan-r3": DCGANR3Recipe,
        "cyclegan": CycleGANRecipe,
        "fast-style": FastStyleRecipe,
    },
    "family",
)
"""The recipe class of each family."""

__all__ = ["FAMILIES", "TrainingRecipe", "find_recipe_class"]


def find_recipe_class(table: Mapping[str, Any]) -> type[TrainingRecipe]:
    """Return the recipe class of the ``family`` that the table of a training recipe names.

    Raises:
        ArtgenError: no such family, or the plug-in that offers it cannot be used.
    """
    family = table.get("family")
    recipe_class = FAMILIES.find(family)
    if recipe_class is None:
        raise ArtgenError("family", f"no family {family!r}", did_you_mean(family, FAMILIES.names()))
    return recipe_class
