"""Which square of a picture is the portrait: as it is where it was made one, else about its face."""

from __future__ import annotations

import math

from torch import Tensor

from artgen.imaging.faces.detect import MARGIN, RISE, Face, crop_face, find_faces, outside

# Of a face's crop at most this share may lie outside of the picture, as for `artgen data faces`.
CUT_OFF = 0.2
# How sure the finder must be, more for each degree of lean: few people are photographed with heads askew, and
# what it takes for a face in a saucer or a pattern mostly leans. To pass over a portrait costs less than to
# take one of no one: `artgen data faces`, whose results are looked at, is content with less.
CLEAR, A_DEGREE = 0.44, 0.002
# Where the finder sees the face of a square that is aligned already: its size, and how far its middle is from
# where `crop_face` has it, in sides; its lean in degrees. Of 80 portraits that others aligned: 0.45 to 0.78,
# all but one within 0.12, -4 to 7.
SIZES, APART, LEAN = (0.42, 0.85), 0.12, 10.0
# Sides that differ by no more than this share are equal.
SQUARE = 0.02
# In a square no larger than this, px, a face that is not found is there all the same: one of forty aligned
# portraits, and one of thirteen aligned faces of paintings, is missed.
SMALL = 512


def find_portrait(image: Tensor) -> Face | None:
    """The face that a picture ``(3, H, W)`` is a portrait of: of several the largest and surest, or None.

    Faces that the picture's edge cuts off do not count. A small square in which none is found counts as one
    that holds a face already aligned.
    """
    height, width = image.shape[-2:]
    clear = [
        face
        for face in find_faces(image)
        if face.score >= CLEAR + A_DEGREE * abs(face.roll) and outside(face, height, width) <= CUT_OFF
    ]
    if clear:
        return max(clear, key=lambda face: face.size * face.score)
    if _square(height, width) and max(height, width) <= SMALL:
        size = min(height, width) / MARGIN
        return Face(width / 2, height / 2 + RISE * size, size, roll=0.0, score=0.0)
    return None


def cut_portrait(image: Tensor, face: Face, side: int) -> Tensor:
    """The square of ``image`` ``(3, H, W)`` about ``face``.

    A square picture that the face fills, upright and in the middle, is aligned already and returned as it is.
    Otherwise it is cut out upright, ``(3, side, side)``.
    """
    return middle_square(image) if _fills(face, *image.shape[-2:]) else crop_face(image, face, side)


def middle_square(image: Tensor) -> Tensor:
    """The largest square in the middle of ``(3, H, W)``."""
    height, width = image.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[:, top : top + side, left : left + side]


def _fills(face: Face, height: int, width: int) -> bool:
    side = min(height, width)
    apart = math.hypot(face.x - width / 2, face.y - height / 2 - RISE * face.size)
    least, most = SIZES
    return (
        _square(height, width)
        and least * side <= face.size <= most * side
        and apart <= APART * side
        and abs(face.roll) <= LEAN
    )


def _square(height: int, width: int) -> bool:
    return abs(height - width) <= SQUARE * max(height, width)
