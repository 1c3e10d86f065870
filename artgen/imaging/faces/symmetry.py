"""Measure of how upright a frontal face is: a sketch of a face and mirror symmetry at several roll angles."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.feature import match_template

FloatArray = npt.NDArray[np.float64]

# The sketch's side, the distance between its eyes and the height of its eyes, in px of the sketch.
FACE_SKETCH_SIDE_PX, SKETCH_EYE_DISTANCE_PX, SKETCH_EYE_TOP_PX = 28, 11.0, 9.5
# Tried ratios of the sketch's side to that of the cascade's box: the median over portraits, and either side
# of it.
FACE_SKETCH_SIDE_RATIOS = (0.66, 0.73, 0.80)
# The square compared with its mirror image: its side over that of the cascade's box, its side in px, and the
# px by which the mirror axis is shifted.
MIRRORED_PATCH_SIDE_RATIO, MIRRORED_PATCH_SIDE_PX, MIRROR_AXIS_SHIFTS_PX = 1.05, 48, range(-3, 4)


class GreyPyramid:
    """A grey picture and its halvings, so that patches of any size are sampled without aliasing."""

    def __init__(self, grey: Image.Image) -> None:
        self.levels = [grey]
        while min(self.levels[-1].size) >= 2 * FACE_SKETCH_SIDE_PX:
            self.levels.append(self.levels[-1].reduce(2))

    def sample_patch(self, x: float, y: float, size: float, roll: float, side: int) -> Image.Image:
        """Sample a square around (x, y), turned clockwise; a head of the same roll is upright in it.

        Args:
            x: middle of the square, px from the picture's left.
            y: middle of the square, px from its top.
            size: side of the square, px of the picture.
            roll: degrees clockwise.
            side: px of the result.
        """
        halvings = max(0, math.floor(math.log2(size / side) + 0.4))
        level = min(halvings, len(self.levels) - 1)
        source, scale = self.levels[level], 0.5**level
        step = size * scale / side
        cosine, sine = math.cos(math.radians(roll)) * step, math.sin(math.radians(roll)) * step
        left = x * scale - (cosine - sine) * side / 2
        top = y * scale - (sine + cosine) * side / 2
        matrix = (cosine, -sine, left, sine, cosine, top)
        return source.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def patch_to_picture(
    x: float, y: float, size: float, roll: float, offset: tuple[float, float]
) -> tuple[float, float]:
    """Convert a point of a face's patch (see ``GreyPyramid.sample_patch``) to the picture's (x, y), px.

    Args:
        x: middle of the patch, px from the picture's left.
        y: middle of the patch, px from its top.
        size: side of the patch, px of the picture.
        roll: of the patch, degrees clockwise.
        offset: (x, y) of the point from the patch's middle, relative to the patch's side.
    """
    cosine, sine = math.cos(math.radians(roll)) * size, math.sin(math.radians(roll)) * size
    return x + cosine * offset[0] - sine * offset[1], y + sine * offset[0] + cosine * offset[1]


def upright_face_fit(grey: GreyPyramid, x: float, y: float, size: float, roll: float) -> float:
    """Measure how well an upright face fits a box of the cascade at this roll; the maximum is 2.

    It is the sum of two correlations of locally normalised brightness: with the sketch, at its best position
    and size nearby, and of the left half with the mirrored right half, at the best axis nearby.

    Args:
        grey: the picture.
        x: middle of the box, px from the picture's left.
        y: middle of the box, px from its top.
        size: side of the box, px.
        roll: degrees clockwise.
    """
    return _sketch_correlation(grey, x, y, size, roll) + _mirror_correlation(grey, x, y, size, roll)


def _sketch_correlation(grey: GreyPyramid, x: float, y: float, size: float, roll: float) -> float:
    side = FACE_SKETCH_SIDE_PX + 8
    correlations = []
    for share in FACE_SKETCH_SIDE_RATIOS:
        patch = grey.sample_patch(x, y, size * share * side / FACE_SKETCH_SIDE_PX, roll, side)
        normalised = _normalise_locally(np.asarray(patch, float), 4)
        correlations.append(float(match_template(normalised, _draw_face_sketch()).max()))
    return max(correlations)


def _mirror_correlation(grey: GreyPyramid, x: float, y: float, size: float, roll: float) -> float:
    patch = grey.sample_patch(x, y, size * MIRRORED_PATCH_SIDE_RATIO, roll, MIRRORED_PATCH_SIDE_PX)
    normalised = _normalise_locally(np.asarray(patch, float), 5)
    correlations = []
    for shift in MIRROR_AXIS_SHIFTS_PX:
        axis = MIRRORED_PATCH_SIDE_PX // 2 + shift
        width = min(axis, MIRRORED_PATCH_SIDE_PX - axis)
        left_half = normalised[:, axis - width : axis]
        right_half = normalised[:, axis : axis + width][:, ::-1]
        energy = math.sqrt(float((left_half * left_half).mean() * (right_half * right_half).mean()))
        correlations.append(float((left_half * right_half).mean()) / (energy + 1e-9))
    return max(correlations)


def _normalise_locally(brightness: FloatArray, sigma: float) -> FloatArray:
    """Subtract a face patch's local mean and divide by its local deviation: removes light and skin colour."""
    detail = brightness - gaussian_filter(brightness, sigma)
    normalised: FloatArray = detail / (np.sqrt(gaussian_filter(detail * detail, sigma)) + 4.0)
    return normalised


@cache
def _draw_face_sketch() -> FloatArray:
    """Draw dark eyes, brows, nostrils and mouth, light forehead, nose and cheeks, at the usual proportions.

    It follows the templates of Brunelli and Poggio 1993, but is drawn: a sum of Gaussian spots. On portraits
    it finds the roll as well as their mean does, and it has the features of no real person.
    """
    y, x = np.mgrid[:FACE_SKETCH_SIDE_PX, :FACE_SKETCH_SIDE_PX].astype(float)
    x, y = x - (FACE_SKETCH_SIDE_PX - 1) / 2, y - SKETCH_EYE_TOP_PX
    # (depth, x, y, width, height); a depth below 0 is dark, lengths are px of the sketch
    spots: list[tuple[float, float, float, float, float]] = [
        (-0.5, 0, 6.3, 2.2, 0.9),
        (-0.8, 0, 11.2, 3.0, 0.9),
        (-0.4, 0, 14.2, 2.4, 1.0),
        (0.4, 0, 2, 1.2, 3.5),
        (0.3, 0, -5, 5, 2),
    ]
    for eye_x in (-SKETCH_EYE_DISTANCE_PX / 2, SKETCH_EYE_DISTANCE_PX / 2):
        spots += [(-1.0, eye_x, 0, 2.0, 1.2), (-0.6, eye_x, -3.2, 2.6, 1.0), (0.35, eye_x, 5, 2.2, 2.0)]
    total = sum(
        depth * np.exp(-(((x - spot_x) / width) ** 2 + ((y - spot_y) / height) ** 2) / 2)
        for depth, spot_x, spot_y, width, height in spots
    )
    return _normalise_locally(128 + 60 * np.asarray(total), 4)
