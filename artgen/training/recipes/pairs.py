"""The ``[pairs]`` table of training recipes: how inputs are made from the target images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from artgen.training.recipes.base import TrainingRecipeTable


def _check_order(bounds: list[float]) -> list[float]:
    if bounds[0] > bounds[1]:
        raise PydanticCustomError("range_order", "the smaller number comes first")
    return bounds


@dataclass(frozen=True)
class NumberRange:
    """Metadata of a field that holds a range ``[low, high]``, from which a number is drawn for each pair.

    Attributes:
        low: the smallest number allowed.
        high: the largest number allowed.
    """

    low: float
    high: float

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], CoreSchema]) -> CoreSchema:
        number = core_schema.float_schema(ge=self.low, le=self.high, allow_inf_nan=False)
        two_numbers = core_schema.list_schema(number, min_length=2, max_length=2)
        return core_schema.no_info_after_validator_function(_check_order, two_numbers)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        form = f"two numbers from {self.low:g} to {self.high:g}, the smaller first"
        return handler(schema) | {"form": form}


ReductionFactor = Annotated[int, Field(ge=2, le=64)]
FlipMode = Literal["none", "horizontal", "both"]
Share = Annotated[float, Field(ge=0, le=1)]
ScaleRange = Annotated[list[float], NumberRange(1, 8)]
BlendMode = Literal["blend", "regions", "halves", "features"]


class PairTable(TrainingRecipeTable):
    """The keys of every ``[pairs]`` table."""

    use: str
    needs_inputs_folder: ClassVar[bool] = False
    """Whether the inputs are images of a second folder."""

    flips: FlipMode = Field(
        "horizontal",
        description="Whether half of the pairs are mirrored; `both` turns some upside down, too.",
    )

    @property
    def channels(self) -> int:
        """Channels of the input: 3, or 1 for greyscale."""
        return 3


class PixelateTable(PairTable):
    """Inputs are the targets, reduced by kernels that vary: the model learns to invent what is lost."""

    use: Literal["pixelate"] = "pixelate"
    factor: ReductionFactor = Field(8, description="How many times smaller the input is.")
    recolour: Share = Field(
        0.35, description="Share of the pairs whose hues are shifted at random. For faces: 0."
    )


class LearningToSeeTable(PairTable):
    """Inputs are the targets in grey and out of focus: the model sees what it knows in everything."""

    use: Literal["learning-to-see"] = "learning-to-see"
    factor: ReductionFactor = Field(
        24, description="The input is reduced this many times, and smoothly enlarged again."
    )
    scale: ScaleRange = Field(
        [1.0, 1.3],
        description="An image's shorter side is resized to this many times the crop, then cropped.",
    )
    grey: bool = Field(True, description="One channel of luminance; `false` keeps three, in colour.")
    brightness: float = Field(
        0.2,
        ge=0,
        le=1,
        description="The input is made brighter or darker by at most this share of the full range.",
    )
    contrast: float = Field(
        0.15, ge=0, le=1, description="The input's contrast is raised or lowered by at most this share."
    )
    grain: Share = Field(
        0.0,
        description="Standard deviation of noise added to the input, as a share of the full range. Texture "
        "is made of the noise: without any, results look woven; with it, each seed looks different.",
    )

    @property
    def channels(self) -> int:
        return 1 if self.grey else 3


class EdgesTable(PairTable):
    """Inputs are the targets' outlines, dark on white in one channel: the model paints in a drawing."""

    use: Literal["edges"] = "edges"
    scale: ScaleRange = Field(
        [1.0, 1.3],
        description="An image's shorter side is resized to this many times the crop, then cropped.",
    )
    sigma: Annotated[list[float], NumberRange(0.5, 8)] = Field(
        [1.0, 3.0],
        description="How far the image is blurred first, px: a range makes dense and sparse drawings.",
    )
    thickness: Annotated[list[float], NumberRange(1, 7)] = Field(
        [1.0, 3.0], description="Width of the lines, px: fine pens and felt tips."
    )
    detail: Share = Field(
        0.35, description="How faint an outline may be: 0 draws only the strongest contours, 1 nearly all."
    )

    @property
    def channels(self) -> int:
        return 1


class BlendTable(PairTable):
    """Inputs are thumbnails of two or more aligned faces, mixed; the target is the one that dominates."""

    use: Literal["blend"] = "blend"
    factor: ReductionFactor = Field(8, description="How many times smaller the thumbnail is than the face.")
    scale: ScaleRange = Field(
        [1.0, 1.08],
        description="A face's shorter side is resized to this many times the crop, then cropped.",
    )
    faces: int = Field(3, ge=2, le=4, description="Largest number of faces in one input.")
    modes: list[BlendMode] = Field(
        ["blend", "regions", "halves", "features"],
        min_length=1,
        description="Ways of mixing, as in the source `faces`; one is drawn at random for each pair.",
        json_schema_extra={"form": 'a list of "blend", "regions", "halves" and "features"'},
    )
    other: Annotated[list[float], NumberRange(0, 0.5)] = Field(
        [0.0, 0.45], description="Share of an input that does not come from the target face."
    )
    softness: Annotated[list[float], NumberRange(0, 1)] = Field(
        [0.1, 0.8], description="How gradual the transition from one face to another is."
    )
    own: Share = Field(
        0.5,
        description="Share of the pairs in which the other face is the same one, shifted and in another "
        "light: from them the model learns to repair seams without changing the face.",
    )
    light: Share = Field(
        0.5, description="How much the brightness, contrast and colours of the other faces are changed."
    )


class FoldersTable(PairTable):
    """Inputs are the images of the folder `inputs` that have the same names as their targets."""

    use: Literal["folders"] = "folders"
    needs_inputs_folder: ClassVar[bool] = True
    scale: ScaleRange = Field(
        [1.0, 1.12],
        description="Both images' shorter sides are resized to this many times the crop, then cropped alike.",
    )
    grey: bool = Field(False, description="Whether the model sees the inputs' luminance only.")

    @property
    def channels(self) -> int:
        return 1 if self.grey else 3


AnyPairTable = Annotated[
    PixelateTable | LearningToSeeTable | EdgesTable | BlendTable | FoldersTable,
    Field(discriminator="use"),
]
