"""The step ``woodcut``: a picture cut into wood and printed in one ink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.steps import Step, StepContext

if TYPE_CHECKING:
    from torch import Tensor


class WoodcutStep(Step):
    """Cut the picture into wood: slanted lines that are wider where the picture is darker, in one ink."""

    use: Literal["woodcut"] = "woodcut"
    lines: Drawn[Annotated[int, Field(ge=4, le=400)]] = Field(
        60, description="How many lines fit along the shorter side."
    )
    angle: Drawn[Annotated[float, Field(ge=-90, le=90)]] = Field(
        -30.0, description="Slant of the lines; 0 is level.", json_schema_extra={"unit": "degrees"}
    )
    wobble: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.3, description="How far the hand strays from a straight line: 0 not at all."
    )
    ink: Drawn[Literal["black", "indigo", "rust"]] = Field("black", description="Colour of the ink.")

    def apply(self, image: Tensor, context: StepContext) -> Tensor:
        """Return the print, ``(3, H, W)`` as the image."""
        import torch

        from artgen.imaging.image import resize
        from artgen.seeds import torch_generator

        _, height, width = image.shape
        generator = torch_generator(context.derive_key("wobble"))
        hand = resize(torch.rand(3, 9, 9, generator=generator), (height, width))[0] - 0.5
        context.on_progress(0.5)
        angle = torch.deg2rad(torch.tensor(float(self.angle)))
        period = max(2.0, min(height, width) / self.lines)
        across = torch.arange(height)[:, None] * angle.cos() + torch.arange(width) * angle.sin()
        ridges = ((across / period + self.wobble * 4 * hand) * 2 * torch.pi).sin() * 0.5 + 0.5
        luminance = (image * torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None]).sum(0)
        edge = 2.5 / period  # about one pixel wide, so that lines are not jagged
        paper_share = ((luminance - ridges * 0.9 - 0.05) / edge + 0.5).clamp(0, 1)
        inks = {"black": (0.08, 0.07, 0.07), "indigo": (0.11, 0.13, 0.33), "rust": (0.48, 0.17, 0.09)}
        ink = torch.tensor(inks[self.ink])[:, None, None]
        paper = torch.tensor([0.96, 0.93, 0.86])[:, None, None]
        return ink + (paper - ink) * paper_share
