"""Exposure, contrast, colour: what a photographer does in the darkroom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.steps.base import Context, Step

if TYPE_CHECKING:
    from torch import Tensor


class Grade(Step):
    """Adjust light and colour, in linear light; colours stay within the gamut."""

    chance: ClassVar[bool] = False

    use: Literal["grade"] = "grade"
    exposure: Drawn[Annotated[float, Field(ge=-3, le=3)]] = Field(
        0.0, description="Brighter or darker.", json_schema_extra={"unit": "stops"}
    )
    contrast: Drawn[Annotated[float, Field(ge=-1, le=1)]] = Field(
        0.0, description="Above 0 a film curve with toe and shoulder; below 0 a faded, matte print."
    )
    saturation: Drawn[Annotated[float, Field(ge=0, le=2)]] = Field(
        1.0, description="0 is grey, 1 unchanged; above 1 pale colours gain more than strong ones."
    )
    warmth: Drawn[Annotated[float, Field(ge=-1, le=1)]] = Field(
        0.0, description="-1 is as blue as shade, 1 as amber as a bulb."
    )
    stretch: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.0, description="How far the image's own darkest and lightest tones are pulled to black and white."
    )
    black: Drawn[Annotated[float, Field(ge=0, le=0.4)]] = Field(
        0.0, description="Tones up to this one become black.", json_schema_extra={"unit": "of full"}
    )
    white: Drawn[Annotated[float, Field(ge=0.6, le=1)]] = Field(
        1.0, description="Tones from this one on become white.", json_schema_extra={"unit": "of full"}
    )

    def apply(self, image: Tensor, context: Context) -> Tensor:
        """``(3, H, W)`` to the same size."""
        from artgen.imaging import color

        linear = color.expose(color.to_linear(image), self.exposure)
        linear = color.warm(linear, self.warmth)
        linear = color.levels(linear, self.black, self.white, self.stretch)
        linear = color.contrast(linear, self.contrast)
        return color.to_srgb(color.into_gamut(color.saturate(linear, self.saturation)))
