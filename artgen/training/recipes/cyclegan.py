"""The training recipe of the family ``cyclegan``."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from artgen.training.recipes.base import ChannelCount, LearningRate, LossWeight, TrainingRecipe


class CycleGANRecipe(TrainingRecipe):
    """Two generators learn to turn pictures of one folder into the other's kind, and back, without pairs."""

    training_class: ClassVar[str] = "artgen.training.families.cyclegan:CycleGANTraining"

    paired: ClassVar[bool] = False

    family: Literal["cyclegan"] = Field(description="What kind of model.")
    crop: int = Field(256, ge=32, le=2048, description="Side of the training crops, px.")
    cut: float = Field(
        0.8, gt=0, le=1, description="Smallest square cut from an image, as a share of its shorter side."
    )
    batch: int = Field(1, ge=1, le=256, description="Pictures of each folder in a step.")

    blocks: int = Field(
        9, ge=1, le=32, description="Residual blocks of a generator: 6 are enough for 128 px."
    )
    width: ChannelCount = Field(64, description="Channels after a generator's first layer.")
    rise: Literal["transposed", "resize"] = Field(
        "transposed", description="Upsampling: `transposed` as published, or `resize` against checkerboards."
    )
    skips: bool = Field(
        False,
        description="Skip connections carry the picture's detail over: sharp at once, but shapes stay.",
    )
    critic_width: ChannelCount = Field(64, description="Channels after a critic's first layer.")
    critic_layers: int = Field(
        3, ge=1, le=5, description="How often a critic halves: with 3 it judges patches of 70 px."
    )
    gan: Literal["vanilla", "lsgan"] = Field(
        "lsgan", description="Adversarial loss: `vanilla` is cross-entropy, `lsgan` least squares."
    )

    cycle: LossWeight = Field(
        10.0, description="Weight of the cycle loss: translated and back, it is the same picture."
    )
    same: LossWeight = Field(
        5.0,
        description="Weight of the identity loss: images of the target kind must not change. Keeps colours.",
    )
    pool: int = Field(
        50,
        ge=0,
        le=1000,
        description="Earlier results kept for each critic, which sees them half of the time.",
    )
    rate: LearningRate = Field(2e-4, description="Adam's learning rate.")
    critic_rate: float = Field(
        1.0, gt=0, le=20, description="The critics' rate as a multiple of `rate`: more asks for more strokes."
    )
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first momentum.")
    decay: float = Field(
        0.5, ge=0, le=1, description="Share of the steps, at the end, in which the rate falls to 0."
    )

    @field_validator("start")
    @classmethod
    def _reject_start(cls, start: str | None) -> str | None:
        if start is not None:
            expected = "leave `start` out: two generators are trained here, and a model file holds one"
            raise PydanticCustomError("recipe_text", "{why}", {"why": expected})
        return start

    @model_validator(mode="after")
    def _check_crop(self) -> CycleGANRecipe:
        if self.crop % 4:
            raise ValueError(f"crop: {self.crop} is no multiple of 4, which the generators need")
        min_crop = 3 * 2**self.critic_layers
        if self.crop < min_crop:
            raise ValueError(f"crop: a critic of {self.critic_layers} layers needs at least {min_crop} px")
        return self

    @property
    def needs_inputs_folder(self) -> bool:
        return True

    def max_crop_side(self) -> int:
        return self.crop
