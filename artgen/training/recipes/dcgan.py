"""The training recipes of the families ``dcgan`` and ``dcgan-r3``, which generate pictures from noise."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from artgen.training.recipes.base import LearningRate, LossWeight, TrainingRecipe


class LatentRecipe(TrainingRecipe):
    """Keys of both families: size of the pictures, latents and the squares that are cut out of images."""

    # Training sets are small, and held-out pictures would measure nothing here.
    holds_out: ClassVar[bool] = False

    size: Literal[32, 64, 128, 256] = Field(64, description="Side of the generated pictures, px.")
    crop: Literal["centre", "random"] = Field(
        "random",
        description="Training squares: the largest one in the centre, or random ones.",
    )
    smallest: float = Field(
        0.7, gt=0, le=1, description="Side of the smallest random square, as a share of the shorter side."
    )
    flip: bool = Field(True, description="Whether half of the squares, at random, are mirrored.")
    latent: int = Field(64, ge=2, le=1024, description="Random numbers that a picture is made of.")
    batch: int = Field(16, ge=2, le=1024, description="Pictures in a step.")
    side: int = Field(
        512, ge=32, le=8192, description="Images are decoded to at most this many px on the longer side."
    )

    def max_crop_side(self) -> int:
        return self.size


class DCGANRecipe(LatentRecipe):
    """DCGAN as published: pictures out of 100 random numbers, for thousands of pictures of one kind."""

    training_class: ClassVar[str] = "artgen.training.families.dcgan:DCGANTraining"

    family: Literal["dcgan"] = Field(description="What kind of model.")
    latent: int = Field(100, ge=2, le=1024, description="Random numbers that a picture is made of.")
    width: int = Field(
        64, ge=4, le=512, description="Channels of the generator at half the side; 128 published."
    )
    critic_width: int = Field(64, ge=4, le=512, description="Channels of the discriminator at half the side.")
    batch: int = Field(32, ge=2, le=1024, description="Pictures in a step; 128 published.")
    rate: LearningRate = Field(2e-4, description="Adam's learning rate of both networks.")
    momentum: float = Field(0.5, ge=0, lt=1, description="Adam's first beta.")


class DCGANR3Recipe(LatentRecipe):
    """A modern small GAN for some hundred pictures: relativistic loss, R1 and R2, DiffAugment, averaging."""

    training_class: ClassVar[str] = "artgen.training.families.dcgan_r3:DCGANR3Training"

    family: Literal["dcgan-r3"] = Field(description="What kind of model.")
    width: int = Field(
        32,
        ge=8,
        le=256,
        multiple_of=8,
        description="Channels of the generator at half the side, doubling with each halving.",
    )
    critic_width: int = Field(
        32, ge=8, le=256, multiple_of=8, description="Channels of the critic at half the side."
    )
    blocks: int = Field(1, ge=1, le=8, description="Residual blocks at every level of both networks.")
    rate: LearningRate = Field(5e-4, description="Adam's learning rate of both, without momentum.")
    penalty: LossWeight = Field(0.3, description="Weight of the gradient penalties R1 and R2.")
    penalty_every: int = Field(
        4, ge=1, le=64, description="Steps between penalties, each that many times as strong; published: 1."
    )
    augment: float = Field(
        0.1,
        ge=0,
        le=1,
        description="How often each of three changes (colour, position, a hole) is made before the critic "
        "sees a picture: 0 for many thousands of pictures, 1 for a hundred.",
    )
