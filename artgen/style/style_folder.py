"""Several image files as one style, such as a folder of photographs, read within a memory limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import limit_longer_side, resize_if_needed
from artgen.imaging.io.files import read_image

# Pixels of all images together, at one byte per channel, and limits of an image's longer side in px.
MAX_STYLE_PIXELS = 64_000_000
MAX_STYLE_SIDE_PX, MIN_STYLE_SIDE_PX = 2048, 96


def read_style_images(files: Sequence[Path], max_total_pixels: int = MAX_STYLE_PIXELS) -> list[Tensor]:
    """Read image files as bytes, reduced so that together they have about ``max_total_pixels``.

    A few images keep their brushwork. Of thousands each becomes small and shows its composition more than its
    strokes. Unreadable files are skipped.

    Args:
        files: at least one image file.
        max_total_pixels: of all images together.

    Returns:
        ``(3, H, W)`` uint8 of each readable file, in order.

    Raises:
        ArtgenError: none of the files is readable.
    """
    file_stamps = [(file, stat.st_mtime_ns, stat.st_size) for file in files for stat in [file.stat()]]
    return list(_read_cached(tuple(file_stamps), max_total_pixels))


@lru_cache(maxsize=2)  # shared by the candidates of a run and the frames of a film
def _read_cached(file_stamps: tuple[tuple[Path, int, int], ...], max_total_pixels: int) -> list[Tensor]:
    files = [file for file, _, _ in file_stamps]
    max_side = int(min(MAX_STYLE_SIDE_PX, max(MIN_STYLE_SIDE_PX, math.sqrt(max_total_pixels / len(files)))))
    images, last_error = [], None
    for file in files:
        try:
            image = read_image(file)
        except ArtgenError as error:
            last_error = error
            continue
        images.append(limit_longer_side(image, max_side).mul(255).round_().to(torch.uint8))
    if not images and last_error is not None:
        raise last_error
    return images


def reduce_style_image(image: Tensor, side: int, min_side: int) -> Tensor:
    """Reduce a style image to a longer side of ``side`` px, as floats.

    It is not enlarged, because an enlarged painting has no fine brushwork, except to ``min_side`` px a side.
    """
    reduced = limit_longer_side(to_float_image(image), side)
    return resize_if_needed(reduced, [max(min_side, length) for length in reduced.shape[1:]])


def to_float_image(image: Tensor) -> Tensor:
    """Convert a style image of bytes to floats in [0, 1]; return floats unchanged."""
    return image.float().div_(255) if image.dtype == torch.uint8 else image
