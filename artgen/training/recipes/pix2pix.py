"""The training recipe of the family ``pix2pix``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from artgen.training.recipes.base import Rate, TrainingRecipe, Weight, Width
from artgen.training.recipes.pairs import AnyPairs, Blend, Pixelate


class Pix2PixRecipe(TrainingRecipe):
    """A generator learns from pairs, taught by a critic that sees input and picture together."""

    family: Literal["pix2pix"] = Field(description="What kind of model.")
    pairs: AnyPairs = Field(Pixelate(), description="How inputs are made or found, see `[pairs]`.")
    crop: int = Field(256, ge=32, le=2048, description="Side of the pictures it learns from, px.")
    batch: int = Field(1, ge=1, le=256, description="Pairs in a step.")

    generator: Literal["unet", "resnet"] = Field(
        "unet", description="U-Net carries the input's lines over; ResNet strays further from them."
    )
    levels: int = Field(8, ge=3, le=10, description="How often a U-Net halves: 8 for 256 px, 7 for 128 px.")
    blocks: int = Field(9, ge=1, le=32, description="Residual blocks of a ResNet.")
    width: Width = Field(64, description="Channels after the generator's first layer.")
    norm: Literal["batch", "instance"] = Field(
        "batch", description="How layers are normalised: as published, or each picture by itself."
    )
    dropout: bool = Field(True, description="Whether half of the inner channels drop out in training.")
    rise: Literal["transposed", "resize"] = Field(
        "transposed", description="How the picture grows: as published, or `resize` against checkerboards."
    )

    critic_width: Width = Field(64, description="Channels after the critic's first layer.")
    critic_layers: int = Field(
        3, ge=1, le=5, description="How often the critic halves: with 3 it judges patches of 70 px."
    )
    gan: Literal["vanilla", "lsgan"] = Field(
        "vanilla", description="What a verdict costs: cross-entropy, or its squared distance to the truth."
    )
    l1: Weight = Field(100.0, description="Weight of the distance to the target, against the critic's 1.")
    rate: Rate = Field(2e-4, description="Adam's learning rate of both networks.")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first momentum.")
    decay: float = Field(
        0.5, ge=0, le=1, description="Share of the steps, at the end, in which the rate falls to 0."
    )

    @model_validator(mode="after")
    def _fits(self) -> Pix2PixRecipe:
        multiple = 2**self.levels if self.generator == "unet" else 4
        if self.crop % multiple:
            raise ValueError(f"crop: {self.crop} is no multiple of {multiple}, which this generator needs")
        least = 3 * 2**self.critic_layers
        if self.crop < least:
            raise ValueError(f"crop: a critic of {self.critic_layers} layers needs at least {least} px")
        if isinstance(self.pairs, Pixelate | Blend) and self.crop % self.pairs.factor:
            raise ValueError(f"crop: {self.crop} is no multiple of the pairs' factor {self.pairs.factor}")
        return self

    @property
    def two_folders(self) -> bool:
        return self.pairs.two_folders

    def crop_side(self) -> int:
        return self.crop

    def learns_from(self) -> dict[str, Any]:
        return {"inputs": self.pairs.model_dump(mode="json")}
