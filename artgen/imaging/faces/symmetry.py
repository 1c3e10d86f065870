"""How upright a frontal face is: a sketch of a face, and its mirror symmetry, tried at several leanings."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.feature import match_template

Array = npt.NDArray[np.float64]

# The sketch: its side and the distance between its eyes, in its own px, and the height of its eyes.
SKETCH, EYES, EYE_LEVEL = 28, 11.0, 9.5
# The sketch's side over that of the cascade's box: the middle of what is found on portraits, and either side.
SKETCH_SHARES = (0.66, 0.73, 0.80)
MIRROR_SHARE, MIRROR_SIDE, MIRROR_SHIFTS = 1.05, 48, range(-3, 4)


class Pyramid:
    """A grey picture and its halves, so that patches of any size are sampled without aliasing."""

    def __init__(self, grey: Image.Image) -> None:
        self.levels = [grey]
        while min(self.levels[-1].size) >= 2 * SKETCH:
            self.levels.append(self.levels[-1].reduce(2))

    def patch(self, x: float, y: float, size: float, lean: float, side: int) -> Image.Image:
        """A square of ``size`` px about (x, y), turned clockwise by ``lean`` degrees, as ``side`` px.

        A head that leans clockwise by ``lean`` stands upright in it.
        """
        halvings = max(0, math.floor(math.log2(size / side) + 0.4))
        level = min(halvings, len(self.levels) - 1)
        source, scale = self.levels[level], 0.5**level
        step = size * scale / side
        along, across = math.cos(math.radians(lean)) * step, math.sin(math.radians(lean)) * step
        left = x * scale - (along - across) * side / 2
        top = y * scale - (across + along) * side / 2
        matrix = (along, -across, left, across, along, top)
        return source.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def placed(x: float, y: float, size: float, lean: float, share: tuple[float, float]) -> tuple[float, float]:
    """Where a point of a patch lies in the picture; ``share`` are its (x, y) from the middle, in sides."""
    along, across = math.cos(math.radians(lean)) * size, math.sin(math.radians(lean)) * size
    return x + along * share[0] - across * share[1], y + across * share[0] + along * share[1]


def likeness(grey: Pyramid, x: float, y: float, size: float, lean: float) -> float:
    """How much an upright face fits the cascade's box of ``size`` px about (x, y) at this leaning; up to 2.

    The sum of two correlations of locally normalised brightness: with the sketch, at its best place and size
    nearby, and of the left half with the mirrored right half, at the best axis nearby.
    """
    return _sketched(grey, x, y, size, lean) + _mirrored(grey, x, y, size, lean)


def _sketched(grey: Pyramid, x: float, y: float, size: float, lean: float) -> float:
    side = SKETCH + 8
    found = []
    for share in SKETCH_SHARES:
        part = grey.patch(x, y, size * share * side / SKETCH, lean, side)
        found.append(float(match_template(_normalised(np.asarray(part, float), 4), _sketch()).max()))
    return max(found)


def _mirrored(grey: Pyramid, x: float, y: float, size: float, lean: float) -> float:
    part = _normalised(np.asarray(grey.patch(x, y, size * MIRROR_SHARE, lean, MIRROR_SIDE), float), 5)
    found = []
    for shift in MIRROR_SHIFTS:
        axis = MIRROR_SIDE // 2 + shift
        half = min(axis, MIRROR_SIDE - axis)
        left, right = part[:, axis - half : axis], part[:, axis : axis + half][:, ::-1]
        energy = math.sqrt(float((left * left).mean() * (right * right).mean()))
        found.append(float((left * right).mean()) / (energy + 1e-9))
    return max(found)


def _normalised(values: Array, blur: float) -> Array:
    """Brightness less its local mean, over its local deviation: light and colour of the skin go."""
    rest = values - gaussian_filter(values, blur)
    normal: Array = rest / (np.sqrt(gaussian_filter(rest * rest, blur)) + 4.0)
    return normal


@cache
def _sketch() -> Array:
    """Dark eyes, brows, nostrils and mouth, light forehead, nose and cheeks, at the usual proportions.

    After the templates of Brunelli and Poggio 1993, but drawn: a sum of Gaussian spots. On portraits it finds
    the roll as well as their own mean does, and it carries nobody's features.
    """
    y, x = np.mgrid[:SKETCH, :SKETCH].astype(float)
    x, y = x - (SKETCH - 1) / 2, y - EYE_LEVEL
    # (depth, x, y, width, height); depth below 0 is dark, lengths in px of the sketch
    spots: list[tuple[float, float, float, float, float]] = [
        (-0.5, 0, 6.3, 2.2, 0.9),
        (-0.8, 0, 11.2, 3.0, 0.9),
        (-0.4, 0, 14.2, 2.4, 1.0),
        (0.4, 0, 2, 1.2, 3.5),
        (0.3, 0, -5, 5, 2),
    ]
    for eye in (-EYES / 2, EYES / 2):
        spots += [(-1.0, eye, 0, 2.0, 1.2), (-0.6, eye, -3.2, 2.6, 1.0), (0.35, eye, 5, 2.2, 2.0)]
    total = sum(
        depth * np.exp(-(((x - cx) / width) ** 2 + ((y - cy) / height) ** 2) / 2)
        for depth, cx, cy, width, height in spots
    )
    return _normalised(128 + 60 * np.asarray(total), 4)
