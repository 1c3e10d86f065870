"""The training recipe of the family ``upimage``."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from artgen.training.recipes.base import LearningRate, LossWeight, TrainingRecipe, TrainingRecipeTable
from artgen.training.recipes.pairs import BlendTable, PixelateTable


class CropSizeTable(TrainingRecipeTable):
    """Size of the crops, and their number, from some share of the training on."""

    since: float = Field(
        0.0, ge=0, lt=1, description="Share of the training after which these sizes are used."
    )
    crop: int = Field(
        16, ge=8, le=128, description="Side of the input, px; the target is larger by the model's scale."
    )
    batch: int = Field(
        6, ge=3, le=256, description="Inputs in a step; the first is used twice, with different noise."
    )


class UpImageRecipe(TrainingRecipe):
    """A compact generator that invents what a thumbnail has lost."""

    training_class: ClassVar[str] = "artgen.training.families.upimage:UpImageTraining"

    family: Literal["upimage"] = Field(description="What kind of model.")
    pairs: Annotated[PixelateTable | BlendTable, Field(discriminator="use")] | None = Field(
        None, description="How thumbnails are made: `pixelate` by the model's own scale, or `blend`."
    )

    width: int = Field(128, ge=8, le=512, description="Channels of the trunk.")
    blocks: int = Field(9, ge=1, le=64, description="Residual blocks; each sees 1 px further.")
    widths: list[Annotated[int, Field(ge=4, le=512)]] = Field(
        [64, 48, 24], min_length=1, max_length=4, description="Channels after each doubling: three make 8x."
    )
    critic_width: int = Field(48, ge=8, le=512, description="Channels after the critic's first layer.")

    critic: Literal["spectral", "penalised"] = Field(
        "spectral",
        description="`spectral`: hinge loss with spectral norm. `penalised`: relativistic loss of real and "
        "generated pictures with gradient penalties; stronger, and a quarter slower.",
    )
    penalty: LossWeight = Field(0.1, description="Weight of a penalised critic's gradients, R1 and R2.")
    penalty_every: int = Field(
        8, ge=1, le=64, description="Steps between penalties, each that many times as strong."
    )

    sizes: list[CropSizeTable] = Field(
        [CropSizeTable()], min_length=1, description="Crops over time, see `[[sizes]]`."
    )
    rate: LearningRate = Field(1e-4, description="Adam's learning rate of the generator.")
    critic_rate: float = Field(
        4.0, gt=0, le=20, description="The critic's learning rate as a multiple of `rate`."
    )
    warm_up: float = Field(
        0.05, ge=0, lt=1, description="Share of the steps with L1 alone; with `start`, of the critic alone."
    )
    l1: LossWeight = Field(10.0, description="Weight of the distance to the real picture, at first.")
    l1_end: LossWeight = Field(1.0, description="The same at the end.")
    l1_fade: float = Field(0.15, gt=0, le=1, description="Share of the steps over which it falls.")
    consistency: LossWeight = Field(
        10.0, description="Weight of the consistency loss: the result, reduced again, is the thumbnail."
    )
    adversarial: LossWeight = Field(1.0, description="Weight of the adversarial loss.")
    feature_matching: LossWeight = Field(
        10.0, description="Weight of feature matching: similar outputs of the critic's layers."
    )
    mode_seeking: LossWeight = Field(
        1.0, description="Weight of mode seeking: different noise makes different pictures."
    )
    spread: float = Field(
        0.025,
        gt=0,
        lt=1,
        description="How much the pictures of two noises must differ, at half size; at 2x, at full size.",
    )
    second_pass: float = Field(
        0.15,
        ge=0,
        le=0.5,
        description="Share of inputs taken from the model's own earlier pictures, at most one a step.",
    )
    clip: float | None = Field(5.0, gt=0, description="Largest norm of a network's gradient.")

    @model_validator(mode="after")
    def _check_sizes_and_pairs(self) -> UpImageRecipe:
        starts = [size.since for size in self.sizes]
        if starts[0] != 0 or starts != sorted(starts):
            raise ValueError(
                "sizes: `since` must be 0 in the first table, and must not fall from one to the next"
            )
        if self.pair_table().factor != self.scale:
            raise ValueError(f"pairs: factor must be {self.scale}, since there are {len(self.widths)} widths")
        return self

    @property
    def scale(self) -> int:
        """Factor by which the model enlarges its input."""
        return int(2 ** len(self.widths))

    def pair_table(self) -> PixelateTable | BlendTable:
        """Return the recipe's ``[pairs]`` table; by default ``pixelate`` with the model's scale."""
        return self.pairs or PixelateTable(factor=self.scale)

    def max_crop_side(self) -> int:
        return max(size.crop for size in self.sizes) * self.scale

    def published_metadata(self) -> dict[str, Any]:
        """Return the ``[pairs]`` table, by which a recipe prepares thumbnails in the same way."""
        return {"inputs": self.pair_table().model_dump(mode="json")}
