"""What a recipe allows, its networks can be: every size at both ends of its range."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import torch
from torch import nn

from artgen.models.architectures.network import Network
from artgen.models.architectures.resnet import ResNet
from artgen.models.architectures.unet import UNet
from artgen.models.architectures.upimage import UpImager
from artgen.training.critics.discriminator import TwoScaleDiscriminator
from artgen.training.critics.patchgan import PatchGAN
from artgen.training.recipes import TrainingRecipe
from artgen.training.recipes.cyclegan import CycleGANRecipe
from artgen.training.recipes.mix import MixRecipe
from artgen.training.recipes.pix2pix import Pix2PixRecipe
from artgen.training.recipes.upimage import UpImageRecipe

End = Literal["minimum", "maximum"]


def limits(recipe: type[TrainingRecipe], end: End) -> dict[str, Any]:
    """Of every number and list of numbers."""
    found: dict[str, Any] = {}
    for name, field in recipe.model_json_schema()["properties"].items():
        if end in field:
            found[name] = field[end]
        elif end in field.get("items", {}):
            found[name] = (field["items"][end],) * field[end[:3] + "Items"]
    return found


@pytest.mark.parametrize("end", ["minimum", "maximum"])
@pytest.mark.parametrize(
    ("recipe", "network", "sizes"),
    [
        (Pix2PixRecipe, UNet, {"levels", "width"}),
        (Pix2PixRecipe, ResNet, {"blocks", "width"}),
        (MixRecipe, UNet, {"levels", "width"}),
        (CycleGANRecipe, ResNet, {"blocks", "width"}),
        (UpImageRecipe, UpImager, {"width", "blocks", "widths"}),
    ],
)
def test_a_generator_is_built_at_the_limits_of_its_recipe(
    recipe: type[TrainingRecipe], network: type[Network], sizes: set[str], end: End
) -> None:
    ends = limits(recipe, end)
    config = network.config_class.model_validate({name: ends[name] for name in sizes})
    with torch.device("meta"):  # shapes only
        assert all(weight.is_meta for weight in network(config).parameters())


@pytest.mark.parametrize("end", ["minimum", "maximum"])
@pytest.mark.parametrize("recipe", [Pix2PixRecipe, CycleGANRecipe, UpImageRecipe])
def test_a_critic_is_built_at_the_limits_of_its_recipe(recipe: type[TrainingRecipe], end: End) -> None:
    ends = limits(recipe, end)
    with torch.device("meta"):
        critic: nn.Module
        if recipe is UpImageRecipe:
            critic = TwoScaleDiscriminator(ends["critic_width"])
        else:
            critic = PatchGAN(6, ends["critic_width"], ends["critic_layers"])
        assert all(weight.is_meta for weight in critic.parameters())
