"""The step ``grain``, which adds film grain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.steps.base import Step, StepContext

if TYPE_CHECKING:
    from torch import Tensor


class GrainStep(Step):
    """Add film grain: soft spots of several sizes, strongest in mid-tones, none in black and white areas."""

    bytes_per_pixel: ClassVar[int] = 280

    use: Literal["grain"] = "grain"
    amount: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.25, description="Strength: 0 is none, 0.25 a fine film, 1 a pushed film."
    )
    size: Drawn[Annotated[float, Field(ge=0.5, le=16)]] = Field(
        1.2, description="Width of one grain.", json_schema_extra={"unit": "px"}
    )
    colour: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.25, description="0 is grey grain as of silver; 1 is coloured, as of three independent dye layers."
    )

    def apply(self, image: Tensor, context: StepContext) -> Tensor:
        """Add film grain to the image ``(3, H, W)``; the size stays the same."""
        from artgen.imaging.grain import add_grain
        from artgen.seeds import torch_generator

        return add_grain(
            image, self.amount, self.size, self.colour, torch_generator(context.derive_key("grain"))
        )
