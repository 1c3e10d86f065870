"""The training recipe of the family ``upimage``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from artgen.training.recipes.base import Rate, Table, TrainingRecipe, Weight
from artgen.training.recipes.pairs import Blend, Pixelate


class Size(Table):
    """How large the crops are from some point of the training on."""

    since: float = Field(0.0, ge=0, lt=1, description="Share of the steps after which this holds.")
    crop: int = Field(
        16, ge=8, le=128, description="Side of the input; the target is larger by the scale, px."
    )
    batch: int = Field(6, ge=3, le=256, description="Inputs in a step; the first is seen with two noises.")


class UpImageRecipe(TrainingRecipe):
    """A compact generator that invents what a thumbnail has lost."""

    family: Literal["upimage"] = Field(description="What kind of model.")
    pairs: Annotated[Pixelate | Blend, Field(discriminator="use")] | None = Field(
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
        description="`spectral`: hinge loss under spectral norm. `penalised`: pairs of real and made, under "
        "gradient penalties; stronger, and a quarter slower.",
    )
    penalty: Weight = Field(0.1, description="Weight of a penalised critic's gradients, R1 and R2.")
    penalty_every: int = Field(
        8, ge=1, le=64, description="Steps between penalties, each that many times as strong."
    )

    sizes: list[Size] = Field([Size()], min_length=1, description="Crops over time, see `[[sizes]]`.")
    rate: Rate = Field(1e-4, description="Adam's learning rate of the generator.")
    critic_rate: float = Field(4.0, gt=0, le=20, description="The critic's, times the generator's.")
    warm_up: float = Field(
        0.05, ge=0, lt=1, description="Share of the steps with L1 alone; with `start`, of the critic alone."
    )
    l1: Weight = Field(10.0, description="Weight of the distance to the real picture, at first.")
    l1_end: Weight = Field(1.0, description="The same at the end.")
    l1_fade: float = Field(0.15, gt=0, le=1, description="Share of the steps over which it falls.")
    consistency: Weight = Field(10.0, description="Weight of: reduced again, it is the thumbnail.")
    adversarial: Weight = Field(1.0, description="Weight of what the critic says.")
    feature_matching: Weight = Field(10.0, description="Weight of looking alike to the critic's layers.")
    mode_seeking: Weight = Field(1.0, description="Weight of two noises making two pictures.")
    spread: float = Field(
        0.025, gt=0, lt=1, description="How far two noises must differ, at half size; at 2x, at full size."
    )
    second_pass: float = Field(
        0.15, ge=0, le=0.5, description="Share of inputs from own pictures, at most one a step."
    )
    clip: float | None = Field(5.0, gt=0, description="Largest norm of a network's gradient.")

    @model_validator(mode="after")
    def _fits(self) -> UpImageRecipe:
        since = [size.since for size in self.sizes]
        if since[0] != 0 or since != sorted(since):
            raise ValueError("sizes: the first begins at since = 0, the others later and later")
        if self.made_by().factor != self.scale:
            raise ValueError(f"pairs: factor is {self.scale}, as the {len(self.widths)} widths say")
        return self

    @property
    def scale(self) -> int:
        """How many times larger than its input the model's picture is."""
        return int(2 ** len(self.widths))

    def made_by(self) -> Pixelate | Blend:
        """The pair maker, at the model's own scale where the recipe names none."""
        return self.pairs or Pixelate(factor=self.scale)

    def crop_side(self) -> int:
        return max(size.crop for size in self.sizes) * self.scale

    def learns_from(self) -> dict[str, Any]:
        return {"inputs": self.made_by().model_dump(mode="json")}
