"""The training recipes of the families ``dcgan`` and ``dcgan-r3``: pictures out of nothing."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from artgen.training.recipes.base import Rate, TrainingRecipe, Weight


class LatentRecipe(TrainingRecipe):
    """What both families say: how squares are cut out of the pictures, how large they are."""

    # Nothing is measured by held-out pictures, and few are to learn from.
    holds_out: ClassVar[bool] = False

    size: Literal[32, 64, 128, 256] = Field(64, description="Side of the pictures it makes, px.")
    crop: Literal["centre", "random"] = Field(
        "random",
        description="Squares to learn: the largest in the centre, or some of any size and place.",
    )
    smallest: float = Field(
        0.7, gt=0, le=1, description="Side of the smallest random square, of the picture's short side."
    )
    flip: bool = Field(True, description="Whether squares are mirrored left to right by chance.")
    latent: int = Field(64, ge=2, le=1024, description="Random numbers that a picture is made of.")
    batch: int = Field(16, ge=2, le=1024, description="Pictures in a step.")
    side: int = Field(512, ge=32, le=8192, description="Pictures are decoded to at most this long, px.")

    def crop_side(self) -> int:
        return self.size


class DCGANRecipe(LatentRecipe):
    """DCGAN as published: pictures out of 100 random numbers, for thousands of pictures of one kind."""

    family: Literal["dcgan"] = Field(description="What kind of model.")
    latent: int = Field(100, ge=2, le=1024, description="Random numbers that a picture is made of.")
    width: int = Field(
        64, ge=4, le=512, description="Channels of the generator at half the side; 128 published."
    )
    critic_width: int = Field(64, ge=4, le=512, description="The discriminator's.")
    batch: int = Field(32, ge=2, le=1024, description="Pictures in a step; 128 published.")
    rate: Rate = Field(2e-4, description="Adam's learning rate of both.")
    momentum: float = Field(0.5, ge=0, lt=1, description="Adam's first beta.")


class DCGANR3Recipe(LatentRecipe):
    """A modern small GAN for some hundred pictures: relativistic loss, R1 and R2, DiffAugment, averaging."""

    family: Literal["dcgan-r3"] = Field(description="What kind of model.")
    width: int = Field(
        32,
        ge=8,
        le=256,
        multiple_of=8,
        description="Channels of the generator at half the side, doubling inwards.",
    )
    critic_width: int = Field(32, ge=8, le=256, multiple_of=8, description="The critic's.")
    blocks: int = Field(1, ge=1, le=8, description="Residual blocks at every level of both.")
    rate: Rate = Field(5e-4, description="Adam's learning rate of both, without momentum.")
    penalty: Weight = Field(0.3, description="Weight of the gradient penalties R1 and R2.")
    penalty_every: int = Field(
        4, ge=1, le=64, description="Steps between penalties, each that many times as strong; published: 1."
    )
    augment: float = Field(
        0.1,
        ge=0,
        le=1,
        description="How often each of three changes (colour, place, a hole) is made before the critic "
        "sees a picture: 0 for many thousands of pictures, 1 for a hundred.",
    )
