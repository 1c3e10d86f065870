"""Which part of a frame becomes a training picture, and how large: crop, pad or keep; black bars off."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from artgen.imaging.film.frames import Film, Frame, read_frames

Fit = Literal["crop", "pad", "keep"]
# Frames looked at for black bars, and the luma (0 to 255) that no part of a bar reaches in any of them.
LOOKS, BLACK = 12, 26
# Rows and columns at a bar's edge that are half bar, half picture.
SOFT = 2
# Bars take at least this share of a side, and leave at least half of it: otherwise the film is merely dark.
THINNEST = 0.015


@dataclass(frozen=True)
class Region:
    """A rectangle of pixels."""

    top: int
    left: int
    height: int
    width: int


def visible(path: Path, film: Film) -> Region:
    """The film without its black bars, found on a dozen frames spread over its length."""
    whole = Region(0, 0, film.height, film.width)
    rows, columns = np.zeros(film.height, int), np.zeros(film.width, int)
    seen = 0
    for moment in np.linspace(0.05, 0.95, LOOKS) * film.seconds:
        with closing(read_frames(path, start=float(moment))) as frames:
            frame = next(frames, None)
        if frame is None or (frame.height, frame.width) != (film.height, film.width):
            continue
        seen += 1
        rows = np.maximum(rows, frame.grey((film.height, 32)).max(axis=1))
        columns = np.maximum(columns, frame.grey((32, film.width)).max(axis=0))
    if not seen:
        return whole
    (top, height), (left, width) = _extent(rows), _extent(columns)
    return Region(top, left, height, width)


def _extent(brightest: npt.NDArray[np.int_]) -> tuple[int, int]:
    """Where the picture begins and how long it is, from the brightest values of each row or column."""
    side = len(brightest)
    bright = np.flatnonzero(brightest >= BLACK)
    if not len(bright):
        return 0, side
    before, after = int(bright[0]), side - 1 - int(bright[-1])
    before, after = (bar + SOFT if bar >= THINNEST * side else 0 for bar in (before, after))
    length = side - before - after
    return (before, length) if 2 * length >= side else (0, side)


def framed(frame: Frame, region: Region, size: tuple[int, int] | None, fit: Fit) -> npt.NDArray[np.uint8]:
    """``region`` of a frame as ``(H, W, 3)``, resampled once.

    Args:
        frame: as it came from the film.
        region: of the frame that is used.
        size: (H, W) wanted; None keeps the film's own.
        fit: ``crop`` fills the size and cuts what sticks out, ``pad`` shows all of it on black, ``keep``
            shows all of it in its own proportions, just covering the size.
    """
    if size is None:
        return _cut(frame.rgb(), region.top, region.left, (region.height, region.width))
    ratios = size[0] / region.height, size[1] / region.width
    ratio = min(ratios) if fit == "pad" else max(ratios)
    pixels = frame.rgb((round(frame.height * ratio), round(frame.width * ratio)))
    inside = max(1, round(region.height * ratio)), max(1, round(region.width * ratio))
    top, left = round(region.top * ratio), round(region.left * ratio)
    if fit == "keep":
        return _cut(pixels, top, left, inside)
    if fit == "crop":
        return _cut(pixels, top + (inside[0] - size[0]) // 2, left + (inside[1] - size[1]) // 2, size)
    canvas = np.zeros((*size, 3), np.uint8)
    part = _cut(pixels, top, left, (min(inside[0], size[0]), min(inside[1], size[1])))
    down, right = (size[0] - part.shape[0]) // 2, (size[1] - part.shape[1]) // 2
    canvas[down : down + part.shape[0], right : right + part.shape[1]] = part
    return canvas


def _cut(pixels: npt.NDArray[np.uint8], top: int, left: int, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A window of this size, moved inwards by the pixel that rounding may have put outside."""
    top = max(0, min(top, pixels.shape[0] - size[0]))
    left = max(0, min(left, pixels.shape[1] - size[1]))
    return pixels[top : top + size[0], left : left + size[1]]
