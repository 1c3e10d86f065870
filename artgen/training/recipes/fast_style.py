"""The training recipe of the family ``fast-style``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from artgen.errors import ArtgenError
from artgen.references import References
from artgen.style import library
from artgen.training.recipes.base import Rate, Table, TrainingRecipe, Weight, Width

MOST_STYLES = 16


class Distilled(Table):
    """Learning from pictures that patch EM painted: needs no weights from anywhere."""

    pairs: int = Field(200, ge=2, le=100_000, description="Pictures painted in each style.")
    side: int = Field(256, ge=32, le=1024, description="Of these pictures; strokes are learned at it, px.")
    preset: Literal["bold", "balanced", "faithful"] = Field("balanced", description="As in the step `style`.")
    strength: float = Field(1.0, gt=0, le=4, description="As in the step `style`.")
    style_scale: float = Field(
        1.33, ge=0.25, le=4, description="Size of the painting against `side`: larger gives larger strokes."
    )
    hasty: bool = Field(False, description="Paint as a preview is painted: thrice as fast, rougher.")

    l1: Weight = Field(10.0, description="Weight of the distance to the painted picture.")
    adversarial: Weight = Field(1.0, description="Weight of what the critic says; 0 trains none.")
    features: Weight = Field(10.0, description="Weight of looking alike to the critic's layers.")
    critic_width: Width = Field(32, description="Channels after the critic's first layer.")
    warm_up: float = Field(0.1, ge=0, lt=1, description="Share of the steps without the critic.")


class Perceptual(Table):
    """Learning from how a network trained on photographs (VGG) sees content and painting."""

    content: Weight = Field(1.0, description="Weight of seeing the content in the result.")
    style: Weight = Field(10.0, description="Weight of seeing the painting's textures in it.")
    smoothness: Weight = Field(0.1, description="Weight of the total variation, against speckle.")
    side: int = Field(384, ge=32, le=4096, description="Long side of the paintings: decides the strokes, px.")
    preprocessing: Literal["auto", "torchvision", "caffe"] = Field(
        "auto", description="What the weights expect; auto is the file's own colour layer, else torchvision."
    )


class FastStyleRecipe(TrainingRecipe):
    """A network that paints in one or several styles in a fraction of a second."""

    places: ClassVar[frozenset[str]] = TrainingRecipe.places | {"styles", "weights"}

    family: Literal["fast-style"] = Field(description="What kind of model.")
    styles: Annotated[References, Field(max_length=MOST_STYLES)] = Field(
        description="Paintings, one a style: `builtin:NAME`, or an image's path from the recipe's folder."
    )
    loss: Literal["auto", "perceptual", "distilled"] = Field(
        "auto", description="Auto is perceptual where `weights` are given, else distilled."
    )
    weights: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="For perceptual: `vgg19`, as `artgen models pull` fetches it, or a VGG-16 or -19 file.",
    )

    width: int = Field(32, ge=4, le=256, description="Channels at full size; four times as many inside.")
    blocks: int = Field(5, ge=1, le=16, description="Residual blocks at a quarter of the size.")
    crop: int = Field(192, ge=32, le=1024, multiple_of=4, description="Side of what it trains on, px.")
    batch: int = Field(1, ge=1, le=256, description="Crops in a step.")
    rate: Rate = Field(1e-3, description="Adam's learning rate; falls to a tenth over the second half.")
    critic_rate: Rate = Field(4e-4, description="The critic's.")
    clip: float | None = Field(5.0, gt=0, description="Largest norm of a network's gradient.")

    distilled: Distilled = Field(Distilled(), description="See `[distilled]`.")
    perceptual: Perceptual = Field(Perceptual(), description="See `[perceptual]`.")

    @field_validator("styles")
    @classmethod
    def _known(cls, references: list[str]) -> list[str]:
        for reference in references:
            if reference.startswith(library.PREFIX):
                try:
                    library.credit(reference)
                except ArtgenError as error:
                    raise PydanticCustomError("recipe_text", "{why}", {"why": error.right}) from None
        names = [_described(reference)["name"] for reference in references]
        if len(set(names)) < len(names):
            raise PydanticCustomError("recipe_text", "a name of its own for each painting")
        return references

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.loss == "perceptual" and self.weights is None:
            raise ValueError('loss = "perceptual" needs weights = "vgg19" or a file; else use "distilled"')
        if not self.by_features and self.crop > self.distilled.side:
            raise ValueError("crop: at most the side of [distilled]")
        return self

    @property
    def by_features(self) -> bool:
        """Whether the loss is perceptual."""
        return self.loss == "perceptual" or (self.loss == "auto" and self.weights is not None)

    def crop_side(self) -> int:
        return self.crop if self.by_features else self.distilled.side

    def names(self) -> list[str]:
        """What each style is called in the model's file."""
        return [_described(reference)["name"] for reference in self.styles]

    def published(self) -> dict[str, Any]:
        """With the names of paintings and weights: what kind of loss it was hangs on them."""
        told: dict[str, Any] = {"styles": [Path(style).name for style in self.styles]}
        if self.weights:
            told["weights"] = Path(self.weights).name
        return super().published() | told

    def learns_from(self) -> dict[str, Any]:
        return {"styles": [_described(reference) for reference in self.styles]}


def _described(reference: str) -> dict[str, str]:
    """A style as the model's file names it: a step may choose it by ``name``."""
    if reference.startswith(library.PREFIX):
        credit = library.credit(reference)
        keys = ("name", "title", "artist", "year", "source", "licence")
        return {key: getattr(credit, key) for key in keys}
    return {"name": Path(reference).stem}
