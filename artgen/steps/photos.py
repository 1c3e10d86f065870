"""The source ``photos``: photographs as starting points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field

from artgen.config.draws import Drawn, possible_values
from artgen.imaging.sizes import Size, largest_of, read_size, scaled_size
from artgen.references import BUILTIN_TEXTURES, ImageReferences, find_images
from artgen.steps.base import FileFinder, Source, StepContext

if TYPE_CHECKING:
    from torch import Tensor


class PhotosSource(Source):
    """Your own images, one after the other in the order of their names, rotated upright."""

    is_random: ClassVar[bool] = False
    file_finders: ClassVar[Mapping[str, FileFinder]] = {"images": find_images}

    use: Literal["photos"] = "photos"
    images: ImageReferences = Field(
        [BUILTIN_TEXTURES],
        description="Files, folders or patterns with `*`; or images that come with artgen: "
        "`builtin:photographs`, `builtin:paintings`, `builtin:textures`, `builtin:portraits`. A list "
        "combines several.",
    )
    per_photo: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1, description="How many candidates start from each image before the next image is used."
    )
    side: Drawn[Annotated[int, Field(ge=1, le=65_536)]] = Field(
        1024,
        description="Larger images are reduced to this length of the longer side.",
        json_schema_extra={"unit": "px"},
    )

    def starting_file(self, context: StepContext) -> Path:
        """Return the file that the candidate starts from; after the last image comes the first again."""
        files = [path for reference in self.images for path in find_images(reference, context.folder)]
        return files[(context.candidate - 1) // self.per_photo % len(files)]

    def with_starting_file(self, file: Path) -> Self:
        """Return this source with one photograph, to reproduce a candidate."""
        return self.model_copy(update={"images": [str(file)]})

    def create(self, context: StepContext) -> Tensor:
        """Return the candidate's photograph, no larger than ``side``."""
        from artgen.imaging.image import limit_longer_side
        from artgen.imaging.io.files import read_image

        return limit_longer_side(read_image(self.starting_file(context)), self.side)

    def largest_size(self, folder: Path, *, preview: bool) -> Size | None:
        """Return the size of the largest photograph, no larger than ``side``; None if none can be read."""
        files = [path for reference in self.images for path in find_images(reference, folder)]
        size, side = largest_of(map(read_size, files)), max(possible_values(self.side))
        return scaled_size(size, side) if size is not None and max(size) > side else size

    def describe(self, context: StepContext) -> str:
        """Return the photograph's file name without its suffix, for captions."""
        return self.starting_file(context).stem
