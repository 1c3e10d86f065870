"""The step ``grade``, which adjusts exposure, contrast and colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.steps.base import Step, StepContext

if TYPE_CHECKING:
    from torch import Tensor


class GradeStep(Step):
    """Adjust exposure, contrast and colour in linear light; colours stay within the gamut."""

    is_random: ClassVar[bool] = False

    use: Literal["grade"] = "grade"
    exposure: Drawn[Annotated[float, Field(ge=-3, le=3)]] = Field(
        0.0, description="Brighter above 0, darker below.", json_schema_extra={"unit": "stops"}
    )
    contrast: Drawn[Annotated[float, Field(ge=-1, le=1)]] = Field(
        0.0,
        description="Above 0 more contrast, by a film curve with toe and shoulder; below 0 a faded print.",
    )
    saturation: Drawn[Annotated[float, Field(ge=0, le=2)]] = Field(
        1.0, description="0 is grey, 1 unchanged; above 1 pale colours gain more than strong ones."
    )
    warmth: Drawn[Annotated[float, Field(ge=-1, le=1)]] = Field(
        0.0, description="Colour temperature: -1 is as blue as shade, 1 as amber as a light bulb."
    )
    stretch: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.0, description="How far the image's darkest and lightest tones are moved to black and white."
    )
    black: Drawn[Annotated[float, Field(ge=0, le=0.4)]] = Field(
        0.0, description="Tones up to this value become black.", json_schema_extra={"unit": "of full"}
    )
    white: Drawn[Annotated[float, Field(ge=0.6, le=1)]] = Field(
        1.0, description="Tones from this value on become white.", json_schema_extra={"unit": "of full"}
    )

    def apply(self, image: Tensor, context: StepContext) -> Tensor:
        """Grade the colours of the image ``(3, H, W)``; the size stays the same."""
        from artgen.imaging import color

        linear = color.adjust_exposure(color.to_linear(image), self.exposure)
        linear = color.adjust_warmth(linear, self.warmth)
        linear = color.adjust_levels(linear, self.black, self.white, self.stretch)
        linear = color.adjust_contrast(linear, self.contrast)
        return color.to_srgb(color.desaturate_into_gamut(color.adjust_saturation(linear, self.saturation)))
