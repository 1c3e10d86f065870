"""``recipes/train/*.toml``: what to train, for how long, with which losses. Imports no torch.

One file a family; ``model_of`` says which of them checks a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from artgen.config.messages import did_you_mean
from artgen.errors import ArtgenError
from artgen.training.recipes.base import TrainingRecipe
from artgen.training.recipes.cyclegan import CycleGANRecipe
from artgen.training.recipes.dcgan import DCGANR3Recipe, DCGANRecipe
from artgen.training.recipes.fast_style import FastStyleRecipe
from artgen.training.recipes.mix import MixRecipe
from artgen.training.recipes.pix2pix import Pix2PixRecipe
from artgen.training.recipes.upimage import UpImageRecipe

FAMILIES: dict[str, type[TrainingRecipe]] = {
    "upimage": UpImageRecipe,
    "pix2pix": Pix2PixRecipe,
    "mix": MixRecipe,
    "dcgan": DCGANRecipe,
    "dcgan-r3": DCGANR3Recipe,
    "cyclegan": CycleGANRecipe,
    "fast-style": FastStyleRecipe,
}

__all__ = ["FAMILIES", "TrainingRecipe", "model_of"]


def model_of(table: Mapping[str, Any]) -> type[TrainingRecipe]:
    """The model that checks a training recipe, by its ``family``.

    Raises:
        ArtgenError: no such family.
    """
    name = table.get("family")
    if not isinstance(name, str) or name not in FAMILIES:
        raise ArtgenError("family", f"no family {name!r}", did_you_mean(name, FAMILIES))
    return FAMILIES[name]
