"""The sources and steps a recipe may use, by the value of their ``use`` key."""

from typing import Annotated

from pydantic import Field

from artgen.steps.base import Context, Source, Step
from artgen.steps.crop import Crop
from artgen.steps.crops import Crops
from artgen.steps.faces import Faces
from artgen.steps.generator import Generator
from artgen.steps.grade import Grade
from artgen.steps.grain import Grain
from artgen.steps.mix import Mix
from artgen.steps.photos import Photos
from artgen.steps.style import Style
from artgen.steps.translate import Translate
from artgen.steps.upscale import Upscale

SOURCES: dict[str, type[Source]] = {"crops": Crops, "photos": Photos, "faces": Faces, "generator": Generator}
STEPS: dict[str, type[Step]] = {
    "upscale": Upscale,
    "translate": Translate,
    "style": Style,
    "grade": Grade,
    "grain": Grain,
    "crop": Crop,
    "mix": Mix,
}

AnySource = Annotated[Crops | Photos | Faces | Generator, Field(discriminator="use")]
AnyStep = Annotated[Upscale | Translate | Style | Grade | Grain | Crop | Mix, Field(discriminator="use")]

__all__ = ["SOURCES", "STEPS", "AnySource", "AnyStep", "Context", "Source", "Step"]
