"""The ``[pairs]`` table: how inputs are made, so that an artist needs target images only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from artgen.training.recipes.base import Table


def _in_order(ends: list[float]) -> list[float]:
    if ends[0] > ends[1]:
        raise PydanticCustomError("range_order", "the smaller number comes first")
    return ends


@dataclass(frozen=True)
class Between:
    """Metadata of a field of two numbers between which chance chooses, for each pair anew."""

    low: float
    high: float

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], CoreSchema]) -> CoreSchema:
        end = core_schema.float_schema(ge=self.low, le=self.high, allow_inf_nan=False)
        two = core_schema.list_schema(end, min_length=2, max_length=2)
        return core_schema.no_info_after_validator_function(_in_order, two)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        form = f"two numbers from {self.low:g} to {self.high:g}, the smaller first"
        return handler(schema) | {"form": form}


Factor = Annotated[int, Field(ge=2, le=64)]
Flips = Literal["none", "horizontal", "both"]
Share = Annotated[float, Field(ge=0, le=1)]
Scale = Annotated[list[float], Between(1, 8)]
Mode = Literal["blend", "regions", "halves", "features"]


class PairTable(Table):
    """What every pair maker says."""

    use: str
    two_folders: ClassVar[bool] = False
    """Whether inputs come from a folder of their own."""

    flips: Flips = Field(
        "horizontal",
        description="Whether half of the pairs are mirrored; `both` turns some upside down, too.",
    )

    @property
    def channels(self) -> int:
        """Of the input: 3, or 1 for true greyscale."""
        return 3


class Pixelate(PairTable):
    """Inputs are the targets, reduced by kernels that vary: the model learns to invent what is lost."""

    use: Literal["pixelate"] = "pixelate"
    factor: Factor = Field(8, description="How many times smaller the input is.")
    recolour: Share = Field(
        0.35, description="Share of the pairs whose colours are turned by chance. For faces: 0."
    )


class LearningToSee(PairTable):
    """Inputs are the targets in grey and out of focus: the model sees what it knows in everything."""

    use: Literal["learning-to-see"] = "learning-to-see"
    factor: Factor = Field(
        24, description="The input is reduced this many times, and smoothly enlarged again."
    )
    scale: Scale = Field(
        [1.0, 1.3], description="An image's short side is brought to this many times the crop, then cut."
    )
    grey: bool = Field(True, description="One channel of luminance; `false` keeps three, in colour.")
    brightness: float = Field(
        0.2, ge=0, le=1, description="The input is made brighter or darker by at most this, of full."
    )
    contrast: float = Field(
        0.15, ge=0, le=1, description="The input's contrast is raised or lowered by at most this share."
    )
    grain: Share = Field(
        0.0,
        description="Noise added to the input, standard deviation, of full. Texture is made of it: "
        "without any, a smooth input gives a woven one; with it, each seed another.",
    )

    @property
    def channels(self) -> int:
        return 1 if self.grey else 3


class Edges(PairTable):
    """Inputs are the targets' outlines, dark on white in one channel: the model paints in a drawing."""

    use: Literal["edges"] = "edges"
    scale: Scale = Field(
        [1.0, 1.3], description="An image's short side is brought to this many times the crop, then cut."
    )
    sigma: Annotated[list[float], Between(0.5, 8)] = Field(
        [1.0, 3.0],
        description="How far the image is blurred first, px: a range makes busy and sparing hands.",
    )
    thickness: Annotated[list[float], Between(1, 7)] = Field(
        [1.0, 3.0], description="Width of the lines, px: fine pens and felt tips."
    )
    detail: Share = Field(
        0.35, description="How faint an outline may be: 0 draws only the strongest contours, 1 nearly all."
    )

    @property
    def channels(self) -> int:
        return 1


class Blend(PairTable):
    """Inputs are thumbnails of two or more aligned faces, mixed; the target is the one that dominates."""

    use: Literal["blend"] = "blend"
    factor: Factor = Field(8, description="How many times smaller the thumbnail is than the face.")
    scale: Scale = Field(
        [1.0, 1.08], description="A face's short side is brought to this many times the crop, then cut."
    )
    faces: int = Field(3, ge=2, le=4, description="Mixed in one input, at most.")
    modes: list[Mode] = Field(
        ["blend", "regions", "halves", "features"],
        min_length=1,
        description="Ways of mixing, one for each pair by chance; as of the source `faces`.",
        json_schema_extra={"form": 'a list of "blend", "regions", "halves" and "features"'},
    )
    other: Annotated[list[float], Between(0, 0.5)] = Field(
        [0.0, 0.45], description="How much of an input does not come from the face that is the target."
    )
    softness: Annotated[list[float], Between(0, 1)] = Field(
        [0.1, 0.8], description="How gradually one face gives way to another."
    )
    own: Share = Field(
        0.5,
        description="Share of the pairs in which the other face is the same one, shifted and in another "
        "light: they teach to heal seams, and leave alone whose face it is.",
    )
    light: Share = Field(
        0.5, description="How far brightness, contrast and colours of the other faces are changed."
    )


class Folders(PairTable):
    """Inputs are given: images of the folder `inputs`, each named as its target but for the ending."""

    use: Literal["folders"] = "folders"
    two_folders: ClassVar[bool] = True
    scale: Scale = Field(
        [1.0, 1.12],
        description="Both images' short sides are brought to this many times the crop, then cut alike.",
    )
    grey: bool = Field(False, description="Whether the model sees the inputs' luminance only.")

    @property
    def channels(self) -> int:
        return 1 if self.grey else 3


AnyPairs = Annotated[
    Pixelate | LearningToSee | Edges | Blend | Folders,
    Field(discriminator="use"),
]
