"""The pictures that a finished model is measured by on any machine: those that ship with artgen, in squares.

No shipped up-imager, translator or generator learned from them. The net of ``styles`` learned to paint like
eight of the paintings; that is what it is measured by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from artgen.imaging.io.files import read_image
from artgen.references import TEXTURES, find_images
from artgen.training.material.images import ImageSet, Pixels
from artgen.training.material.material import Material
from artgen.training.material.squares import centre_square

T = TypeVar("T")
PAINTINGS, PORTRAITS = "builtin:paintings", "builtin:portraits"
# What fits a model that ships; others by their family.
FIT = {
    "nature-8x": TEXTURES,
    "portrait-2x": PORTRAITS,
    "portrait-8x": PORTRAITS,
    "portrait-mix": PORTRAITS,
    "waves": TEXTURES,
}
FIT_FAMILY = {"mix": PORTRAITS, "fast-style": TEXTURES}
LEAST = 256  # px: smaller pieces of a picture would be enlarged, and a blur taken for real


@dataclass(frozen=True)
class Specimens:
    """Squares of pictures.

    Attributes:
        names: the references they come from.
        squares: ``(S, S, 3)`` each, of different sides.
    """

    names: tuple[str, ...]
    squares: tuple[Pixels, ...]

    def at(self, side: int) -> Tensor:
        """All of them, ``(B, 3, side, side)`` in [0, 1]."""
        return torch.stack([centre_square(square, side) for square in self.squares])

    def material(self) -> Material:
        """As a training has it, everything held out."""
        files = tuple(Path(str(number)) for number in range(len(self.squares)))
        held_out = ImageSet(files, self.squares, "", {})
        return Material(held_out.only(()), held_out)

    def __str__(self) -> str:
        return f"{len(self.squares)} square{'' if len(self.squares) == 1 else 's'} of {', '.join(self.names)}"


def fit_for(said: Mapping[str, str]) -> str:
    """The reference of the shipped pictures that fit the model of this metadata."""
    return FIT.get(said.get("title", "")) or FIT_FAMILY.get(said.get("family", "")) or PAINTINGS


def specimens(references: Sequence[str], folder: Path, most: int, largest: int | None = None) -> Specimens:
    """At most ``most`` squares, evenly of all pictures; of few pictures several each, side by side.

    Args:
        references: as a recipe names images.
        folder: where relative paths start.
        most: how many.
        largest: side of a square at most, px; by default as large as fits.

    Raises:
        ArtgenError: no such pictures, or one cannot be read.
    """
    files = [file for reference in references for file in find_images(reference, folder)]
    each = -(-most // len(files))
    squares = [square for file in _evenly(files, most) for square in _cut(file, each, largest)]
    return Specimens(tuple(references), tuple(_evenly(squares, most)))


def _evenly(things: Sequence[T], most: int) -> list[T]:
    count = min(most, len(things))
    return [things[number * len(things) // count] for number in range(count)]


def _cut(file: Path, most: int, largest: int | None) -> Iterator[Pixels]:
    """As many squares of a picture, beside or below each other, as are large enough; one in any case."""
    pixels = (read_image(file).permute(1, 2, 0) * 255).round().byte().numpy()
    longer, shorter = max(pixels.shape[:2]), min(pixels.shape[:2])
    count = max(1, min(most, longer // LEAST))
    side = min(shorter, longer // count, largest or shorter)
    for number in range(count):
        along = (2 * number + 1) * longer // (2 * count) - side // 2
        across = (shorter - side) // 2
        top, left = (along, across) if pixels.shape[0] == longer else (across, along)
        yield np.ascontiguousarray(pixels[top : top + side, left : left + side])
