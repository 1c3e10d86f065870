"""The source ``rings``: the grain of a sawn trunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.steps import Source, StepContext

if TYPE_CHECKING:
    from torch import Tensor


class RingsSource(Source):
    """The rings of a trunk, sawn across, in two tones."""

    use: Literal["rings"] = "rings"
    size: Drawn[Annotated[int, Field(ge=16, le=4096)]] = Field(
        512, description="Side of the square picture.", json_schema_extra={"unit": "px"}
    )
    rings: Drawn[Annotated[float, Field(ge=1, le=200)]] = Field(
        24.0, description="How many rings there are from the heart to the edge."
    )

    def create(self, context: StepContext) -> Tensor:
        """Return the rings, ``(3, size, size)``."""
        import torch

        from artgen.imaging.image import resize
        from artgen.seeds import torch_generator

        generator = torch_generator(context.derive_key("bends"))
        heart = torch.rand(2, generator=generator) * 0.6 - 0.3
        bends = resize(torch.rand(3, 5, 5, generator=generator), (self.size, self.size))[0]
        axis = torch.linspace(-1, 1, self.size)
        radius = torch.hypot(axis - heart[0], axis[:, None] - heart[1]) + 0.3 * bends
        tone = (radius * self.rings * 2 * torch.pi).sin() * 0.5 + 0.5
        dark, light = torch.tensor([[0.23, 0.13, 0.08], [0.87, 0.72, 0.53]])[:, :, None, None]
        return dark + (light - dark) * tone

    def describe(self, context: StepContext) -> str:
        """Return the number of rings."""
        return f"{self.rings:.0f} rings"
