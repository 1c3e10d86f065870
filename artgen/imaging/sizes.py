"""Widths and heights of pictures, computed without pixels. Nothing here imports torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from artgen.errors import ArtgenError

Size = tuple[int, int]
"""Width and height of a picture, px."""
EXIF_ORIENTATION, FIRST_TURNED_ORIENTATION = 0x0112, 5  # from 5 on, width and height are exchanged
MAX_ENLARGED_TILES = 4  # times the network's own side that the longer side of a small image is enlarged to


def scaled_size(shape: Sequence[int], side: int) -> tuple[int, int]:
    """Return ``(H, W)`` of an image of this shape after its longer side was resized to ``side`` px."""
    factor = side / max(shape[-2:])
    return max(1, round(shape[-2] * factor)), max(1, round(shape[-1] * factor))


def result_size(height: int, width: int, side: int | None, min_side: int) -> tuple[int, int]:
    """Return ``(H, W)`` of a result: the image's, or with the longer side asked for; none below ``min_side``.

    Args:
        height: of the image, px.
        width: of the image, px.
        side: the longer side of the result, px; None for the image's own size.
        min_side: what smaller images are enlarged to, px: the side of the network's training images.
    """
    factor = side / max(height, width) if side else 1.0
    if factor * min(height, width) < min_side:
        # Long thin images are enlarged only so far: the rest of each tile is padded, and cropped off again.
        factor = max(
            factor, min(min_side / min(height, width), MAX_ENLARGED_TILES * min_side / max(height, width))
        )
    return max(1, round(height * factor)), max(1, round(width * factor))


def read_size(path: Path) -> Size | None:
    """Read the width and height of an upright picture from its header; None if it is no readable picture."""
    from artgen.imaging.io.opening import open_image

    try:
        with open_image(path) as image:
            turned = image.getexif().get(EXIF_ORIENTATION, 1) >= FIRST_TURNED_ORIENTATION
            return image.size[::-1] if turned else image.size
    except (ArtgenError, OSError, ValueError, TypeError, SyntaxError):  # damaged Exif; reading it will say so
        return None


def count_pixels(size: Size) -> int:
    """Return how many pixels a picture of a size has."""
    return size[0] * size[1]


def largest_of(sizes: Iterable[Size | None]) -> Size | None:
    """Return the size with the most pixels; None if there is none."""
    return max(filter(None, sizes), key=count_pixels, default=None)
