"""``recipes/train/*.toml``: what to train, for how long, with which losses. Read without importing torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Weight = Annotated[float, Field(ge=0, le=1000)]


class Size(BaseModel):
    """From ``since`` (share of the training) on: ``batch`` inputs of ``crop`` px."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: Annotated[float, Field(ge=0, lt=1)] = 0.0
    crop: Annotated[int, Field(ge=8, le=128, description="px of the input's side")] = 16
    batch: Annotated[int, Field(ge=3, le=256)] = 6


class UpImageRecipe(BaseModel):
    """A training recipe of the family ``upimage``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: Literal["upimage"]
    title: str
    description: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0
    steps: Annotated[int, Field(ge=1, le=10_000_000)]
    side: Annotated[int, Field(ge=128, le=8192, description="longest side images are decoded to, px")] = 1024
    weakness: Annotated[str, Field(description="what the card says it is bad at")] = "Not described."
    data_licence: Annotated[str, Field(description="what the card says of the images")] = "not stated"

    width: Annotated[int, Field(ge=8, le=512)] = 128
    blocks: Annotated[int, Field(ge=1, le=64)] = 9
    widths: Annotated[list[int], Field(min_length=1, max_length=4)] = [64, 48, 24]
    critic_width: Annotated[int, Field(ge=8, le=512)] = 48

    sizes: Annotated[list[Size], Field(min_length=1)] = [Size()]
    rate: Annotated[float, Field(gt=0, le=0.1, description="Adam's learning rate, generator")] = 1e-4
    critic_rate: Annotated[float, Field(gt=0, le=20, description="times the generator's")] = 4.0
    warm_up: Annotated[float, Field(ge=0, lt=1, description="share of the steps with L1 only")] = 0.05
    l1: Weight = 10.0
    l1_end: Weight = 1.0
    l1_fade: Annotated[float, Field(gt=0, le=1, description="share of the steps over which L1 falls")] = 0.15
    consistency: Weight = 10.0
    adversarial: Weight = 1.0
    feature_matching: Weight = 10.0
    mode_seeking: Weight = 1.0
    spread: Annotated[
        float, Field(gt=0, lt=1, description="mean difference two noises must make, at half size")
    ] = 0.025
    second_pass: Annotated[float, Field(ge=0, le=0.5, description="share of inputs from own pictures")] = 0.15
    clip: Annotated[float, Field(gt=0, description="gradient norm")] = 5.0

    average: Annotated[float, Field(ge=0, lt=1, description="EMA decay once ramped up")] = 0.999
    sample_every: Annotated[int, Field(ge=1)] = 250
    checkpoint_every: Annotated[int, Field(ge=1)] = 250

    def identity(self) -> str:
        """Everything that decides the weights; texts and intervals may change between two sittings."""
        texts = {"title", "description", "weakness", "data_licence", "sample_every", "checkpoint_every"}
        return self.model_dump_json(exclude=texts)
