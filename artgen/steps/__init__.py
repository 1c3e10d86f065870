"""The sources and steps that a recipe may use, by the value of their ``use`` key."""

from artgen.plugins import SOURCE_GROUP, STEP_GROUP, Plugin, PluginRegistry
from artgen.steps.base import RecipePart, Source, Step, StepContext
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

SOURCES: PluginRegistry[Source] = PluginRegistry(
    SOURCE_GROUP,
    Source,
    {
        "crops": CropsSource,
        "photos": PhotosSource,
        "faces": FacesSource,
        "generator": GeneratorSource,
    },
    "use",
)
STEPS: PluginRegistry[Step] = PluginRegistry(
    STEP_GROUP,
    Step,
    {
        "upscale": UpscaleStep,
        "translate": TranslateStep,
        "style": StyleStep,
        "grade": GradeStep,
        "grain": GrainStep,
        "crop": CropStep,
        "mix": MixStep,
    },
    "use",
)

__all__ = ["SOURCES", "STEPS", "RecipePart", "Source", "Step", "StepContext", "find_part_plugin"]


def find_part_plugin(part: RecipePart) -> Plugin | None:
    """Return the plug-in that a source or step comes from; None if it is artgen's own."""
    return (SOURCES if isinstance(part, Source) else STEPS).plugin(part.use)
