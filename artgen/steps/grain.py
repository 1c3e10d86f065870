"""Film grain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.steps.base import Context, Step

if TYPE_CHECKING:
    from torch import Tensor


class Grain(Step):
    """Film grain: soft clumps of several sizes, strongest in the middle tones, none in black and white."""

    use: Literal["grain"] = "grain"
    amount: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.25, description="0 is none, 0.25 a fine film, 1 a pushed one."
    )
    size: Drawn[Annotated[float, Field(ge=0.5, le=16)]] = Field(
        1.2, description="Width of a grain.", json_schema_extra={"unit": "px"}
    )
    colour: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.25, description="0 is silver (grey) grain; 1 three independent dye layers."
    )

    def apply(self, image: Tensor, context: Context) -> Tensor:
        """``(3, H, W)`` to the same size."""
        from artgen.imaging.grain import add_grain
        from artgen.seeds import generator

        return add_grain(image, self.amount, self.size, self.colour, generator(context.derive("grain")))
