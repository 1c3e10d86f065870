"""Thumbnails by chance: crops of images, mixed and re-coloured."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from artgen.config.draws import Drawn
from artgen.errors import ArtgenError
from artgen.references import TEXTURES, References, find_images, too_many
from artgen.steps.base import Context, Finder, Source

if TYPE_CHECKING:
    from torch import Tensor

# A piece is the best of TRIES squares of each of FILES pictures; their side is a share of the short side.
FILES, TRIES = 2, 3
SHARE = (0.12, 0.6)


class Crops(Source):
    """Two or three crops of images, mixed by soft masks, flipped and re-coloured: tiny abstractions."""

    references: ClassVar[Mapping[str, Finder]] = {"images": find_images}

    use: Literal["crops"] = "crops"
    images: References = Field(
        [TEXTURES],
        description="`builtin:textures` (photographs that come with scikit-image), files, folders or "
        "patterns with `*`; a list adds them up.",
    )
    size: Drawn[Annotated[int, Field(ge=8, le=256)]] = Field(
        32, description="Side of the square thumbnail.", json_schema_extra={"unit": "px"}
    )
    pieces: Drawn[Annotated[int, Field(ge=1, le=6)]] = Field(
        3, description="How many crops are mixed into one thumbnail."
    )
    mix: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.8, description="How decidedly a piece covers what is there: 0 not at all, 1 wholly."
    )
    shapes: Drawn[Annotated[float, Field(ge=1, le=8)]] = Field(
        2.0, description="How many regions a mask has across: 1 gives large masses, 8 a patchwork."
    )
    flips: bool = Field(True, description="Whether pieces are flipped and turned by chance.")
    palette: Drawn[Literal["harmony", "images", "own"]] = Field(
        "harmony",
        description="Colours: `harmony` invents related hues, `images` borrows from another crop, "
        "`own` keeps those of the pieces.",
    )
    recolour: Drawn[Annotated[float, Field(ge=0, le=1)]] = Field(
        0.85, description="How far the colours move to the palette."
    )
    contrast: Drawn[Annotated[float, Field(ge=0, le=0.4)]] = Field(
        0.27,
        description="Light and dark: standard deviation of lightness that a thumbnail has at least.",
        json_schema_extra={"unit": "of full"},
    )

    def wrong(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """What is wrong with the files, also that there are too many to be listed in every picture."""
        problems = list(super().wrong(folder))
        yield from problems
        if not problems:
            yield from too_many("images", self.files(folder), "crops are taken of")

    def create(self, context: Context) -> Tensor:
        """A thumbnail, ``(3, size, size)``."""
        from artgen.imaging import color, mixing
        from artgen.seeds import generator, stream

        pick = stream(context.derive("pieces"))
        masks = generator(context.derive("masks"))
        files = tuple(path for reference in self.images for path in find_images(reference, context.folder))
        picture = self._piece(files, pick)
        for _ in range(self.pieces - 1):
            mask = mixing.soft_mask(self.size, masks, self.shapes, pick.uniform(0.08, 0.5))
            picture = picture + self.mix * mask * (self._piece(files, pick) - picture)
        # Its own stream: another number of pieces must not change the colours.
        hues = stream(context.derive("palette"))
        if self.palette != "own":
            if self.palette == "images":
                wanted = color.palette(color.to_oklab(color.to_linear(self._piece(files, hues))))
            else:
                wanted = mixing.harmony(hues)
            picture = mixing.recolour(picture, *wanted, self.recolour)
        return mixing.stretch(picture, self.contrast)

    def describe(self, context: Context) -> str:
        """``32 px``."""
        return f"{self.size} px"

    def _piece(self, files: tuple[Path, ...], pick: random.Random) -> Tensor:
        """One crop: of a few, the boldest, because most squares of most photographs are one flat tone."""
        from artgen.imaging import mixing

        images = [_small(files[pick.randrange(len(files))]) for _ in range(FILES)]
        crops = [mixing.window(image, self.size, SHARE, pick) for image in images for _ in range(TRIES)]
        piece = max(crops, key=mixing.boldness)
        return mixing.flip(piece, pick) if self.flips else piece


@functools.lru_cache(maxsize=32)
def _small(path: Path) -> Tensor:
    """An image of at most 640 px: crops are reduced to far less, and dozens stay in memory."""
    from artgen.imaging.image import fit
    from artgen.imaging.io.files import read_image

    image = read_image(path)
    return fit(image, 640) if max(image.shape[-2:]) > 640 else image
