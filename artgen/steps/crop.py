"""Keep a part of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.steps.base import Context, Step

if TYPE_CHECKING:
    from torch import Tensor

ASPECT = r"^[1-9][0-9]{0,3}(\.[0-9]{1,4})?:[1-9][0-9]{0,3}(\.[0-9]{1,4})?$"


class Crop(Step):
    """Keep a part of the image: a share of it, a proportion, a place."""

    chance: ClassVar[bool] = False

    use: Literal["crop"] = "crop"
    aspect: Drawn[Annotated[str, Field(pattern=ASPECT)]] | None = Field(
        None,
        description="Width to height; by default that of the image.",
        json_schema_extra={"form": 'a text such as "3:2"'},
    )
    fraction: Drawn[Annotated[float, Field(ge=0.05, le=1)]] = Field(
        1.0, description="Size of the part: 1 is the largest of this proportion."
    )
    x: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.5, description="Where the part lies: 0 at the left edge, 0.5 in the centre, 1 at the right edge."
    )
    y: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.5, description="0 at the top edge, 0.5 in the centre, 1 at the bottom edge."
    )

    def apply(self, image: Tensor, context: Context) -> Tensor:
        """``(3, H, W)`` to a part of it, at least 1 px each way."""
        height, width = image.shape[-2:]
        rows, columns = self.size(height, width)
        top, left = round((height - rows) * self.y), round((width - columns) * self.x)
        return image[:, top : top + rows, left : left + columns].clone()

    def size(self, height: int, width: int) -> tuple[int, int]:
        """The part's ``(rows, columns)``."""
        ratio = width / height
        if self.aspect is not None:
            across, down = self.aspect.split(":")
            ratio = float(across) / float(down)
        columns = min(float(width), height * ratio) * self.fraction
        return max(1, min(height, round(columns / ratio))), max(1, min(width, round(columns)))
