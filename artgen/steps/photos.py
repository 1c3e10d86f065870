"""Photographs as starting points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.references import TEXTURES, References, find_images
from artgen.steps.base import Context, Finder, Source

if TYPE_CHECKING:
    from torch import Tensor


class Photos(Source):
    """Your own images, one after the other in the order of their names; turned upright."""

    chance: ClassVar[bool] = False
    references: ClassVar[Mapping[str, Finder]] = {"images": find_images}

    use: Literal["photos"] = "photos"
    images: References = Field(
        [TEXTURES],
        description="Files, folders or patterns with `*`; or what ships: `builtin:photographs`, "
        "`builtin:paintings`, `builtin:textures`, `builtin:portraits`. A list adds them up.",
    )
    per_photo: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1, description="How many candidates start from each image before the next one's turn."
    )
    side: Drawn[Annotated[int, Field(ge=1, le=65_536)]] = Field(
        1024, description="Larger images are reduced to this long side.", json_schema_extra={"unit": "px"}
    )

    def photo(self, context: Context) -> Path:
        """The file that the candidate starts from; after the last image comes the first again."""
        files = [path for reference in self.images for path in find_images(reference, context.folder)]
        return files[(context.candidate - 1) // self.per_photo % len(files)]

    def create(self, context: Context) -> Tensor:
        """The photograph, no larger than ``side``."""
        from artgen.imaging.image import fit
        from artgen.imaging.io.files import read_image

        image = read_image(self.photo(context))
        return fit(image, self.side) if max(image.shape[-2:]) > self.side else image

    def describe(self, context: Context) -> str:
        """The file's name without its ending."""
        return self.photo(context).stem
