"""Several image files as one style, such as a folder of photographs, read within a memory limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import resize_longer_side
from artgen.imaging.io.files import read_image

# Pixels of all images together, at one byte per channel, and limits of an image's longer side in px.
MAX_TOTAL_PIXELS = 64_000_000
MAX_LONGER_SIDE, MIN_LONGER_SIDE = 2048, 96


def read_style_images(files: Sequence[Path]) -> list[Tensor]:
    """Read image files as bytes, reduced so that together they have about ``MAX_TOTAL_PIXELS``.

    A few images keep their brushwork. Of thousands each becomes small and shows its composition more than its
    strokes. Unreadable files are skipped.

    Args:
        files: at least one image file.

    Returns:
        ``(3, H, W)`` uint8 of each readable file, in order.

    Raises:
        ArtgenError: none of the files is readable.
    """
    file_stamps = [(file, stat.st_mtime_ns, stat.st_size) for file in files for stat in [file.stat()]]
    return list(_read_cached(tuple(file_stamps)))


@lru_cache(maxsize=2)  # shared by the candidates of a run and the frames of a film
def _read_cached(file_stamps: tuple[tuple[Path, int, int], ...]) -> list[Tensor]:
    files = [file for file, _, _ in file_stamps]
    max_side = int(min(MAX_LONGER_SIDE, max(MIN_LONGER_SIDE, math.sqrt(MAX_TOTAL_PIXELS / len(files)))))
    images, last_error = [], None
    for file in files:
        try:
            image = read_image(file)
        except ArtgenError as error:
            last_error = error
            continue
        smaller_image = resize_longer_side(image, min(max_side, max(image.shape[1:])))
        images.append(smaller_image.mul(255).round_().to(torch.uint8))
    if not images and last_error is not None:
        raise last_error
    return images


def to_float_image(image: Tensor) -> Tensor:
    """Convert bytes to floats in [0, 1]; return floats unchanged."""
    return image.float().div_(255) if image.dtype == torch.uint8 else image
