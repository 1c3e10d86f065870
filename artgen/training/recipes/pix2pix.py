"""The training recipe of the family ``pix2pix``."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from artgen.training.recipes.base import ChannelCount, LearningRate, LossWeight, TrainingRecipe
from artgen.training.recipes.pairs import AnyPairTable, BlendTable, PixelateTable


class Pix2PixRecipe(TrainingRecipe):
    """A generator learns from pairs, taught by a critic that sees input and picture together."""

    training_class: ClassVar[str] = "artgen.training.families.pix2pix:Pix2PixTraining"

    family: Literal["pix2pix"] = Field(description="What kind of model.")
    pairs: AnyPairTable = Field(PixelateTable(), description="How inputs are made or found, see `[pairs]`.")
    crop: int = Field(256, ge=32, le=2048, description="Side of the training crops, px.")
    batch: int = Field(1, ge=1, le=256, description="Pairs in a step.")

    generator: Literal["unet", "resnet"] = Field(
        "unet", description="U-Net keeps the input's lines; ResNet departs further from them."
    )
    levels: int = Field(8, ge=3, le=10, description="How often a U-Net halves: 8 for 256 px, 7 for 128 px.")
    blocks: int = Field(9, ge=1, le=32, description="Residual blocks of a ResNet.")
    width: ChannelCount = Field(64, description="Channels after the generator's first layer.")
    norm: Literal["batch", "instance"] = Field(
        "batch",
        description="Normalisation of layers: over the batch, as published, or over each picture alone.",
    )
    dropout: bool = Field(True, description="Whether half of the inner channels drop out in training.")
    rise: Literal["transposed", "resize"] = Field(
        "transposed", description="Upsampling: `transposed` as published, or `resize` against checkerboards."
    )

    critic_width: ChannelCount = Field(64, description="Channels after the critic's first layer.")
    critic_layers: int = Field(
        3, ge=1, le=5, description="How often the critic halves: with 3 it judges patches of 70 px."
    )
    gan: Literal["vanilla", "lsgan"] = Field(
        "vanilla", description="Adversarial loss: `vanilla` is cross-entropy, `lsgan` least squares."
    )
    l1: LossWeight = Field(
        100.0, description="Weight of the distance to the target; the adversarial loss has weight 1."
    )
    rate: LearningRate = Field(2e-4, description="Adam's learning rate of both networks.")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first momentum.")
    decay: float = Field(
        0.5, ge=0, le=1, description="Share of the steps, at the end, in which the rate falls to 0."
    )

    @model_validator(mode="after")
    def _check_crop(self) -> Pix2PixRecipe:
        multiple = 2**self.levels if self.generator == "unet" else 4
        if self.crop % multiple:
            raise ValueError(f"crop: {self.crop} is no multiple of {multiple}, which this generator needs")
        min_crop = 3 * 2**self.critic_layers
        if self.crop < min_crop:
            raise ValueError(f"crop: a critic of {self.critic_layers} layers needs at least {min_crop} px")
        if isinstance(self.pairs, PixelateTable | BlendTable) and self.crop % self.pairs.factor:
            raise ValueError(f"crop: {self.crop} is no multiple of the pairs' factor {self.pairs.factor}")
        return self

    @property
    def needs_inputs_folder(self) -> bool:
        return self.pairs.needs_inputs_folder

    def max_crop_side(self) -> int:
        return self.crop

    def published_metadata(self) -> dict[str, Any]:
        """Return the ``[pairs]`` table, by which the step ``translate`` prepares its inputs."""
        return {"inputs": self.pairs.model_dump(mode="json")}
