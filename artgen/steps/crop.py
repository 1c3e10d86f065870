"""The step ``crop``, which keeps a part of the image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn, possible_values
from artgen.imaging.sizes import Size, largest_of
from artgen.steps.base import Step, StepContext

if TYPE_CHECKING:
    from torch import Tensor

ASPECT_PATTERN = r"^[1-9][0-9]{0,3}(\.[0-9]{1,4})?:[1-9][0-9]{0,3}(\.[0-9]{1,4})?$"


class CropStep(Step):
    """Keep a part of the image, of a given aspect ratio, size and position."""

    is_random: ClassVar[bool] = False

    use: Literal["crop"] = "crop"
    aspect: Drawn[Annotated[str, Field(pattern=ASPECT_PATTERN)]] | None = Field(
        None,
        description="Aspect ratio, width to height; by default that of the image.",
        json_schema_extra={"form": 'a text such as "3:2"'},
    )
    fraction: Drawn[Annotated[float, Field(ge=0.05, le=1)]] = Field(
        1.0, description="Size of the part: 1 is the largest part of this aspect ratio."
    )
    x: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.5,
        description="Horizontal position of the part: 0 is the left edge, 0.5 the centre, 1 the right edge.",
    )
    y: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.5,
        description="Vertical position of the part: 0 is the top edge, 0.5 the centre, 1 the bottom edge.",
    )

    def apply(self, image: Tensor, context: StepContext) -> Tensor:
        """Cut the candidate's image ``(3, H, W)`` to a part, at least 1 px in each direction."""
        height, width = image.shape[-2:]
        rows, columns = self.crop_size(height, width)
        top, left = round((height - rows) * self.y), round((width - columns) * self.x)
        return image[:, top : top + rows, left : left + columns].clone()

    def largest_size(self, size: Size, folder: Path, *, preview: bool) -> Size:
        """Return the size of the largest part."""
        fraction = max(possible_values(self.fraction))
        parts = (
            self.model_copy(update={"aspect": aspect, "fraction": fraction}).crop_size(size[1], size[0])[::-1]
            for aspect in possible_values(self.aspect)
        )
        return largest_of(parts) or size

    def crop_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the ``(rows, columns)`` of the part that the step keeps.

        Args:
            height: the image's height in px.
            width: the image's width in px.
        """
        ratio = width / height
        if self.aspect is not None:
            across, down = self.aspect.split(":")
            ratio = float(across) / float(down)
        columns = min(float(width), height * ratio) * self.fraction
        return max(1, min(height, round(columns / ratio))), max(1, min(width, round(columns)))
