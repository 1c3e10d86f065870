"""The training recipe of the family ``fast-style``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from artgen.errors import ArtgenError
from artgen.references import BUILTIN_PREFIX, ImageReferences
from artgen.style import library
from artgen.training.recipes.base import (
    ChannelCount,
    LearningRate,
    LossWeight,
    TrainingRecipe,
    TrainingRecipeTable,
)

MAX_STYLES_PER_MODEL = 16


class DistilledTable(TrainingRecipeTable):
    """Learning from pictures that patch EM painted: needs no downloaded weights."""

    pairs: int = Field(200, ge=2, le=100_000, description="Pictures painted in each style.")
    side: int = Field(
        256, ge=32, le=1024, description="Side of these pictures, px: strokes are learned at this size."
    )
    preset: Literal["bold", "balanced", "faithful"] = Field("balanced", description="As in the step `style`.")
    strength: float = Field(1.0, gt=0, le=4, description="As in the step `style`.")
    style_scale: float = Field(
        1.33,
        ge=0.25,
        le=4,
        description="Size of the painting relative to `side`: larger gives larger strokes.",
    )
    hasty: bool = Field(False, description="Paint in the quality of a preview: three times as fast, rougher.")

    l1: LossWeight = Field(10.0, description="Weight of the distance to the painted picture.")
    adversarial: LossWeight = Field(1.0, description="Weight of the adversarial loss; 0 trains no critic.")
    features: LossWeight = Field(
        10.0, description="Weight of feature matching: similar outputs of the critic's layers."
    )
    critic_width: ChannelCount = Field(32, description="Channels after the critic's first layer.")
    warm_up: float = Field(
        0.1, ge=0, lt=1, description="Share of the steps, at the start, without the critic."
    )


class PerceptualTable(TrainingRecipeTable):
    """Learning from features of a network trained on photographs (VGG), of content and painting."""

    content: LossWeight = Field(1.0, description="Weight of the distance to the content's features.")
    style: LossWeight = Field(10.0, description="Weight of the distance to the painting's textures.")
    smoothness: LossWeight = Field(0.1, description="Weight of the total variation, against speckle.")
    side: int = Field(
        384, ge=32, le=4096, description="Longer side of the paintings, px: decides the size of the strokes."
    )
    preprocessing: Literal["auto", "torchvision", "caffe"] = Field(
        "auto",
        description="Colour values that the weights expect; auto is those of the file, else torchvision's.",
    )


class FastStyleRecipe(TrainingRecipe):
    """A network that paints in one or several styles in a fraction of a second."""

    training_class: ClassVar[str] = "artgen.training.families.distilled:DistilledTraining"

    path_keys: ClassVar[frozenset[str]] = TrainingRecipe.path_keys | {"styles", "weights"}

    family: Literal["fast-style"] = Field(description="What kind of model.")
    styles: Annotated[ImageReferences, Field(max_length=MAX_STYLES_PER_MODEL)] = Field(
        description="Paintings, one a style: `builtin:NAME`, or an image's path from the recipe's folder."
    )
    loss: Literal["auto", "perceptual", "distilled"] = Field(
        "auto", description="How it learns: auto is perceptual if `weights` are given, else distilled."
    )
    weights: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="For perceptual: `vgg19`, as `artgen models pull` fetches it, or a VGG-16 or -19 file.",
    )

    width: int = Field(
        32, ge=4, le=256, description="Channels at full size; four times as many at a quarter of it."
    )
    blocks: int = Field(5, ge=1, le=16, description="Residual blocks at a quarter of the size.")
    crop: int = Field(192, ge=32, le=1024, multiple_of=4, description="Side of the training crops, px.")
    batch: int = Field(1, ge=1, le=256, description="Crops in a step.")
    rate: LearningRate = Field(
        1e-3, description="Adam's learning rate; falls to a tenth over the second half."
    )
    critic_rate: LearningRate = Field(4e-4, description="Learning rate of the critic.")
    clip: float | None = Field(5.0, gt=0, description="Largest norm of a network's gradient.")

    distilled: DistilledTable = Field(DistilledTable(), description="See `[distilled]`.")
    perceptual: PerceptualTable = Field(PerceptualTable(), description="See `[perceptual]`.")

    @field_validator("styles")
    @classmethod
    def _check_styles(cls, references: list[str]) -> list[str]:
        for reference in references:
            if reference.startswith(BUILTIN_PREFIX):
                try:
                    library.painting_credit(reference)
                except ArtgenError as error:
                    raise PydanticCustomError("recipe_text", "{why}", {"why": error.expected}) from None
        names = [_describe_style(reference)["name"] for reference in references]
        if len(set(names)) < len(names):
            raise PydanticCustomError("recipe_text", "a different file name for each painting")
        return references

    @model_validator(mode="after")
    def _check_loss_and_crop(self) -> Self:
        if self.loss == "perceptual" and self.weights is None:
            raise ValueError('loss = "perceptual" needs weights = "vgg19" or a file; else use "distilled"')
        if not self.is_perceptual and self.crop > self.distilled.side:
            raise ValueError("crop: at most the side of [distilled]")
        return self

    @property
    def is_perceptual(self) -> bool:
        """Whether the loss is perceptual, not distilled."""
        return self.loss == "perceptual" or (self.loss == "auto" and self.weights is not None)

    def find_training_class(self) -> str:
        """Return the class that trains by the kind of loss that the recipe has."""
        return (
            "artgen.training.families.perceptual:PerceptualTraining"
            if self.is_perceptual
            else self.training_class
        )

    def max_crop_side(self) -> int:
        return self.crop if self.is_perceptual else self.distilled.side

    def style_names(self) -> list[str]:
        """Return the names of the styles in the model's file."""
        return [_describe_style(reference)["name"] for reference in self.styles]

    def published_fields(self) -> dict[str, Any]:
        """Return the fields that the model's file holds.

        Paintings and weights are among them without their folders, since the kind of loss depends on them.
        """
        file_names: dict[str, Any] = {"styles": [Path(style).name for style in self.styles]}
        if self.weights:
            file_names["weights"] = Path(self.weights).name
        return super().published_fields() | file_names

    def published_metadata(self) -> dict[str, Any]:
        """Return the credits of the styles, by whose names a step chooses among them."""
        return {"styles": [_describe_style(reference) for reference in self.styles]}


def _describe_style(reference: str) -> dict[str, str]:
    """Return a style's name, and its credits if it is built in."""
    if reference.startswith(BUILTIN_PREFIX):
        credit = library.painting_credit(reference)
        keys = ("name", "title", "artist", "year", "source", "licence")
        return {key: getattr(credit, key) for key in keys}
    return {"name": Path(reference).stem}
