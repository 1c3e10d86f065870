"""Squares of images by which finished models are measured, by default of images that ship with artgen.

No shipped up-imager, translator or generator was trained on the shipped images. The network ``styles`` was
trained to paint like eight of the shipped paintings, and is measured by them.
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
from artgen.references import BUILTIN_TEXTURES, find_images
from artgen.training.material.images import ImageSet, Pixels
from artgen.training.material.material import TrainingDataset
from artgen.training.material.squares import centre_square

Item = TypeVar("Item")
PAINTINGS, PORTRAITS = "builtin:paintings", "builtin:portraits"
# Images that fit a model, by the title of a shipped model, or else by the model's family.
TEST_IMAGES_BY_TITLE = {
    "nature-8x": BUILTIN_TEXTURES,
    "portrait-2x": PORTRAITS,
    "portrait-8x": PORTRAITS,
    "portrait-mix": PORTRAITS,
    "waves": BUILTIN_TEXTURES,
}
TEST_IMAGES_BY_FAMILY = {"mix": PORTRAITS, "fast-style": BUILTIN_TEXTURES}
MIN_SQUARE_PX = 256  # smaller squares would be enlarged, and their blur counted as real


@dataclass(frozen=True)
class SampleSquares:
    """Square crops of images, by which a finished model is measured.

    Attributes:
        references: names of the images, as in a recipe.
        squares: ``(S, S, 3)`` uint8 each, of different sides ``S``.
    """

    references: tuple[str, ...]
    squares: tuple[Pixels, ...]

    def to_batch(self, side: int) -> Tensor:
        """Return all test squares resized, as ``(B, 3, side, side)`` in [0, 1]."""
        return torch.stack([centre_square(square, side) for square in self.squares])

    def as_dataset(self) -> TrainingDataset:
        """Return the test squares as the validation images of a dataset without training images."""
        files = tuple(Path(str(index)) for index in range(len(self.squares)))
        held_out = ImageSet(files, self.squares, "", {})
        return TrainingDataset(held_out.subset(()), held_out)

    def __str__(self) -> str:
        plural = "" if len(self.squares) == 1 else "s"
        return f"{len(self.squares)} square{plural} of {', '.join(self.references)}"


def default_image_reference(metadata: Mapping[str, str]) -> str:
    """Return the reference of the shipped images that fit the model with this metadata."""
    by_title = TEST_IMAGES_BY_TITLE.get(metadata.get("title", ""))
    return by_title or TEST_IMAGES_BY_FAMILY.get(metadata.get("family", "")) or PAINTINGS


def load_sample_squares(
    references: Sequence[str], recipe_folder: Path, max_squares: int, max_side: int | None = None
) -> SampleSquares:
    """Load test squares evenly spread over all images; of few images, several of each.

    Args:
        references: names of images, as in a recipe.
        recipe_folder: folder that relative paths start from.
        max_squares: largest number of squares.
        max_side: largest side of a square, px; by default the image's shorter side.

    Raises:
        ArtgenError: there are no such images, or one cannot be read.
    """
    files = [file for reference in references for file in find_images(reference, recipe_folder)]
    squares_per_file = -(-max_squares // len(files))
    squares = [
        square
        for file in _pick_evenly(files, max_squares)
        for square in _cut_squares(file, squares_per_file, max_side)
    ]
    return SampleSquares(tuple(references), tuple(_pick_evenly(squares, max_squares)))


def _pick_evenly(items: Sequence[Item], max_count: int) -> list[Item]:
    count = min(max_count, len(items))
    return [items[index * len(items) // count] for index in range(count)]


def _cut_squares(file: Path, max_count: int, max_side: int | None) -> Iterator[Pixels]:
    """Yield test squares along the longer side of an image, as many as are large enough, at least one."""
    pixels = (read_image(file).permute(1, 2, 0) * 255).round().byte().numpy()
    longer, shorter = max(pixels.shape[:2]), min(pixels.shape[:2])
    count = max(1, min(max_count, longer // MIN_SQUARE_PX))
    side = min(shorter, longer // count, max_side or shorter)
    for index in range(count):
        along = (2 * index + 1) * longer // (2 * count) - side // 2
        across = (shorter - side) // 2
        top, left = (along, across) if pixels.shape[0] == longer else (across, along)
        yield np.ascontiguousarray(pixels[top : top + side, left : left + side])
