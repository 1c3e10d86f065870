"""Cropping or padding film frames to training images, and finding black bars."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from artgen.imaging.film.frames import FilmFrame, FilmInfo, read_frames

FitMode = Literal["crop", "pad", "keep"]
FRAMES_SEARCHED_FOR_BARS = 12  # frames in which black bars are looked for
MIN_PICTURE_LUMA = 26  # of 0 to 255; a bar is darker everywhere, in every sampled frame
BAR_EDGE_PX = 2  # rows or columns at a bar's edge that are half bar, half picture
# A bar takes at least this share of a side, and bars leave half of it: otherwise the film is merely dark.
MIN_BAR_SIDE_SHARE = 0.015


@dataclass(frozen=True)
class FrameRegion:
    """A rectangle in a film's frame, px."""

    top: int
    left: int
    height: int
    width: int


def find_picture_region(path: Path, film: FilmInfo) -> FrameRegion:
    """Find the part of a film's frames without its black bars, from a dozen frames spread over its length.

    Args:
        path: the film's file.
        film: its size and length.
    """
    max_row_luma, max_column_luma = np.zeros(film.height, int), np.zeros(film.width, int)
    frame_count = 0
    for seconds in np.linspace(0.05, 0.95, FRAMES_SEARCHED_FOR_BARS) * film.seconds:
        with closing(read_frames(path, start=float(seconds))) as frames:
            frame = next(frames, None)
        if frame is None or (frame.height, frame.width) != (film.height, film.width):
            continue
        frame_count += 1
        max_row_luma = np.maximum(max_row_luma, frame.to_grey((film.height, 32)).max(axis=1))
        max_column_luma = np.maximum(max_column_luma, frame.to_grey((32, film.width)).max(axis=0))
    if not frame_count:
        return FrameRegion(0, 0, film.height, film.width)
    (top, height), (left, width) = _find_picture_extent(max_row_luma), _find_picture_extent(max_column_luma)
    return FrameRegion(top, left, height, width)


def _find_picture_extent(max_luma: npt.NDArray[np.int_]) -> tuple[int, int]:
    """Return start and length of the picture, from the brightest luma of each row (or column)."""
    side = len(max_luma)
    bright = np.flatnonzero(max_luma >= MIN_PICTURE_LUMA)
    if not len(bright):
        return 0, side
    before, after = int(bright[0]), side - 1 - int(bright[-1])
    before, after = (bar + BAR_EDGE_PX if bar >= MIN_BAR_SIDE_SHARE * side else 0 for bar in (before, after))
    length = side - before - after
    return (before, length) if 2 * length >= side else (0, side)


def crop_or_pad(
    frame: FilmFrame, region: FrameRegion, size: tuple[int, int] | None, fit: FitMode
) -> npt.NDArray[np.uint8]:
    """Crop a film's frame to ``region`` and fit that to ``size``, resampled once; return ``(H, W, 3)``.

    Args:
        frame: a decoded frame.
        region: the part of the frame to use.
        size: (H, W) of the result; None keeps the film's own.
        fit: ``crop`` fills the size and cuts off the rest, ``pad`` shows all of the region on black, ``keep``
            shows all of it in its own proportions, just covering the size.
    """
    if size is None:
        return _crop(frame.to_rgb(), region.top, region.left, (region.height, region.width))
    ratios = size[0] / region.height, size[1] / region.width
    ratio = min(ratios) if fit == "pad" else max(ratios)
    pixels = frame.to_rgb((round(frame.height * ratio), round(frame.width * ratio)))
    scaled_size = max(1, round(region.height * ratio)), max(1, round(region.width * ratio))
    top, left = round(region.top * ratio), round(region.left * ratio)
    if fit == "keep":
        return _crop(pixels, top, left, scaled_size)
    if fit == "crop":
        return _crop(
            pixels, top + (scaled_size[0] - size[0]) // 2, left + (scaled_size[1] - size[1]) // 2, size
        )
    canvas = np.zeros((*size, 3), np.uint8)
    part = _crop(pixels, top, left, (min(scaled_size[0], size[0]), min(scaled_size[1], size[1])))
    y, x = (size[0] - part.shape[0]) // 2, (size[1] - part.shape[1]) // 2
    canvas[y : y + part.shape[0], x : x + part.shape[1]] = part
    return canvas


def _crop(pixels: npt.NDArray[np.uint8], top: int, left: int, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Crop a film's frame to ``size``, moved inwards by the pixel that rounding may have put outside."""
    top = max(0, min(top, pixels.shape[0] - size[0]))
    left = max(0, min(left, pixels.shape[1] - size[1]))
    return pixels[top : top + size[0], left : left + size[1]]
