"""The source ``crops``: random thumbnails made of crops of images, mixed and recoloured."""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn, possible_values
from artgen.imaging.sizes import Size
from artgen.references import BUILTIN_TEXTURES, ImageReferences, find_images
from artgen.steps.base import FileFinder, Source, StepContext

if TYPE_CHECKING:
    from torch import Tensor

# A piece is the boldest of several random square crops of several random pictures.
PICTURES_PER_PIECE, CROPS_PER_PICTURE = 2, 3
CROP_SIDE_SHARES = (0.12, 0.6)  # least and most side of a crop, as shares of the picture's shorter side


class CropsSource(Source):
    """Tiny abstract thumbnails: a few crops of images, flipped, mixed by soft masks and recoloured."""

    file_finders: ClassVar[Mapping[str, FileFinder]] = {"images": find_images}
    purposes_of_images: ClassVar[Mapping[str, str]] = {"images": "crops are taken from"}

    use: Literal["crops"] = "crops"
    images: ImageReferences = Field(
        [BUILTIN_TEXTURES],
        description="`builtin:textures` (photographs that come with scikit-image), files, folders or "
        "patterns with `*`; a list combines several.",
    )
    size: Drawn[Annotated[int, Field(ge=8, le=256)]] = Field(
        32, description="Side of the square thumbnail.", json_schema_extra={"unit": "px"}
    )
    pieces: Drawn[Annotated[int, Field(ge=1, le=6)]] = Field(
        3, description="How many crops are mixed into one thumbnail."
    )
    mix: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.8, description="How strongly each crop covers those before it: 0 not at all, 1 completely."
    )
    shapes: Drawn[Annotated[float, Field(ge=1, le=8)]] = Field(
        2.0, description="How many regions a mask has across: 1 gives large areas, 8 a patchwork."
    )
    flips: bool = Field(True, description="Whether crops are flipped and rotated at random.")
    palette: Drawn[Literal["harmony", "images", "own"]] = Field(
        "harmony",
        description="Colours: `harmony` invents related hues, `images` takes the colours of another crop, "
        "`own` keeps the colours of the crops.",
    )
    recolour: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.85, description="How far the colours move towards the palette: 0 not at all, 1 completely."
    )
    contrast: Drawn[Annotated[float, Field(ge=0, le=0.4)]] = Field(
        0.27,
        description="Minimum contrast of a thumbnail: the standard deviation of its lightness.",
        json_schema_extra={"unit": "of full"},
    )

    def create(self, context: StepContext) -> Tensor:
        """Return a thumbnail mixed from crops, ``(3, size, size)``."""
        from artgen.imaging import color, mixing
        from artgen.seeds import python_rng, torch_generator

        rng = python_rng(context.derive_key("pieces"))
        mask_generator = torch_generator(context.derive_key("masks"))
        files = tuple(path for reference in self.images for path in find_images(reference, context.folder))
        image = self._random_piece(files, rng)
        for _ in range(self.pieces - 1):
            mask = mixing.random_soft_mask(self.size, mask_generator, self.shapes, rng.uniform(0.08, 0.5))
            image = image + self.mix * mask * (self._random_piece(files, rng) - image)
        # A separate stream, so that the number of crops does not change the colours.
        palette_rng = python_rng(context.derive_key("palette"))
        if self.palette != "own":
            if self.palette == "images":
                piece = self._random_piece(files, palette_rng)
                target_statistics = color.colour_statistics(color.to_oklab(color.to_linear(piece)))
            else:
                target_statistics = mixing.random_palette(palette_rng)
            image = mixing.recolour(image, *target_statistics, self.recolour)
        return mixing.raise_contrast(image, self.contrast)

    def largest_size(self, folder: Path, *, preview: bool) -> Size:
        """Return the side of the square thumbnail, twice."""
        side = max(possible_values(self.size))
        return side, side

    def describe(self, context: StepContext) -> str:
        """Return the thumbnail's size for captions, such as ``32 px``."""
        return f"{self.size} px"

    def _random_piece(self, files: tuple[Path, ...], rng: random.Random) -> Tensor:
        """Return the boldest of several random crops: most crops of photographs are one flat tone."""
        from artgen.imaging import mixing

        images = [_read_small_image(files[rng.randrange(len(files))]) for _ in range(PICTURES_PER_PIECE)]
        crops = [
            mixing.random_crop(image, self.size, CROP_SIDE_SHARES, rng)
            for image in images
            for _ in range(CROPS_PER_PICTURE)
        ]
        piece = max(crops, key=mixing.measure_boldness)
        return mixing.random_flip(piece, rng) if self.flips else piece


@functools.lru_cache(maxsize=32)
def _read_small_image(path: Path) -> Tensor:
    """Read an image and reduce it to at most 640 px, since crops are far smaller; dozens stay in memory."""
    from artgen.imaging.image import limit_longer_side
    from artgen.imaging.io.files import read_image

    image = read_image(path)
    return limit_longer_side(image, 640)
