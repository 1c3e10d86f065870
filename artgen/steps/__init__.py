"""The sources and steps that a recipe may use, by the value of their ``use`` key."""

from typing import Annotated

from pydantic import Field

from artgen.steps.base import Source, Step, StepContext
from artgen.steps.crop import CropStep
from artgen.steps.crops import CropsSource
from artgen.steps.faces import FacesSource
from artgen.steps.generator import GeneratorSource
from artgen.steps.grade import GradeStep
from artgen.steps.grain import GrainStep
from artgen.steps.mix import MixStep
from artgen.steps.photos import PhotosSource
from artgen.steps.style import StyleStep
from artgen.steps.translate import TranslateStep
from artgen.steps.upscale import UpscaleStep

SOURCES: dict[str, type[Source]] = {
    "crops": CropsSource,
    "photos": PhotosSource,
    "faces": FacesSource,
    "generator": GeneratorSource,
}
STEPS: dict[str, type[Step]] = {
    "upscale": UpscaleStep,
    "translate": TranslateStep,
    "style": StyleStep,
    "grade": GradeStep,
    "grain": GrainStep,
    "crop": CropStep,
    "mix": MixStep,
}

AnySource = Annotated[CropsSource | PhotosSource | FacesSource | GeneratorSource, Field(discriminator="use")]
AnyStep = Annotated[
    UpscaleStep | TranslateStep | StyleStep | GradeStep | GrainStep | CropStep | MixStep,
    Field(discriminator="use"),
]

__all__ = ["SOURCES", "STEPS", "AnySource", "AnyStep", "Source", "Step", "StepContext"]
