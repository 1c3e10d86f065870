"""The training recipe of the family ``cyclegan``."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from artgen.training.recipes.base import Rate, TrainingRecipe, Weight, Width


class CycleGANRecipe(TrainingRecipe):
    """Two generators learn to turn pictures of one folder into the other's kind, and back, without pairs."""

    paired: ClassVar[bool] = False

    family: Literal["cyclegan"] = Field(description="What kind of model.")
    crop: int = Field(256, ge=32, le=2048, description="Side of the pictures it learns from, px.")
    cut: float = Field(
        0.8, gt=0, le=1, description="Smallest square cut from an image, as a share of its shorter side."
    )
    batch: int = Field(1, ge=1, le=256, description="Pictures of each folder in a step.")

    blocks: int = Field(
        9, ge=1, le=32, description="Residual blocks of a generator: 6 are enough for 128 px."
    )
    width: Width = Field(64, description="Channels after a generator's first layer.")
    rise: Literal["transposed", "resize"] = Field(
        "transposed", description="How the picture grows: as published, or `resize` against checkerboards."
    )
    skips: bool = Field(
        False, description="Add a picture's detail again where it grows: sharp at once, but shapes stay."
    )
    critic_width: Width = Field(64, description="Channels after a critic's first layer.")
    critic_layers: int = Field(
        3, ge=1, le=5, description="How often a critic halves: with 3 it judges patches of 70 px."
    )
    gan: Literal["vanilla", "lsgan"] = Field(
        "lsgan", description="What a verdict costs: cross-entropy, or its squared distance to the truth."
    )

    cycle: Weight = Field(10.0, description="Weight of: there and back again, it is the same picture.")
    same: Weight = Field(
        5.0, description="Weight of: a picture of the other kind already stays as it is. Keeps colours."
    )
    pool: int = Field(
        50, ge=0, le=1000, description="Made pictures a critic remembers; half it sees are old."
    )
    rate: Rate = Field(2e-4, description="Adam's learning rate.")
    critic_rate: float = Field(
        1.0, gt=0, le=20, description="The critics', times the generators': more, and strokes are asked for."
    )
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first momentum.")
    decay: float = Field(
        0.5, ge=0, le=1, description="Share of the steps, at the end, in which the rate falls to 0."
    )

    @field_validator("start")
    @classmethod
    def _from_nothing(cls, start: str | None) -> str | None:
        if start is not None:
            right = "leave `start` out: two generators are trained here, and a model file holds one"
            raise PydanticCustomError("recipe_text", "{why}", {"why": right})
        return start

    @model_validator(mode="after")
    def _fits(self) -> CycleGANRecipe:
        if self.crop % 4:
            raise ValueError(f"crop: {self.crop} is no multiple of 4, which the generators need")
        least = 3 * 2**self.critic_layers
        if self.crop < least:
            raise ValueError(f"crop: a critic of {self.critic_layers} layers needs at least {least} px")
        return self

    @property
    def two_folders(self) -> bool:
        return True

    def crop_side(self) -> int:
        return self.crop
