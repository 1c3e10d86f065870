"""Choice of the face that a picture is a portrait of, and of the square around it."""

from __future__ import annotations

import math

from torch import Tensor

from artgen.imaging.faces.detect import (
    FACE_CROP_MARGIN,
    FACE_CROP_RISE,
    Face,
    crop_face,
    crop_share_outside,
    find_faces,
)

# At most this share of a face's crop may be outside the picture, as for `artgen data faces`.
MAX_CROP_SHARE_OUTSIDE = 0.2
# The least score of a portrait's face, and what is added to it for each degree of roll: few people are
# photographed with their heads tilted, and false faces in saucers and patterns mostly are. A missed portrait
# costs less than a false one; `artgen data faces`, whose results a person checks, accepts lower scores.
MIN_PORTRAIT_SCORE, SCORE_PER_DEGREE = 0.44, 0.002
# What counts as aligned in a square picture: the face's size and the distance of its middle from the position
# that `crop_face` gives it, relative to the side; its roll in degrees. In 80 portraits aligned by others the
# sizes were 0.45 to 0.78, all distances but one within 0.12, the rolls -4 to 7.
ALIGNED_FACE_SIZE_RANGE, MAX_ALIGNED_FACE_OFFSET, MAX_ALIGNED_ROLL_DEGREES = (0.42, 0.85), 0.12, 10.0
# Sides that differ by at most this share count as equal.
MAX_SQUARE_SIDE_DIFFERENCE = 0.02
# px: a square of at most this side counts as an aligned face even if none is found. The detector misses one
# of forty aligned portraits, and one of thirteen aligned faces of paintings.
MAX_ASSUMED_PORTRAIT_SIDE_PX = 512


def find_portrait_face(image: Tensor) -> Face | None:
    """Return the face that a picture ``(3, H, W)`` is a portrait of: the largest and surest, or None.

    Faces cut off by the picture's edge do not count. A small square in which no face is found counts as an
    aligned face that fills it.
    """
    height, width = image.shape[-2:]
    faces = [
        face
        for face in find_faces(image)
        if face.score >= MIN_PORTRAIT_SCORE + SCORE_PER_DEGREE * abs(face.roll)
        and crop_share_outside(face, height, width) <= MAX_CROP_SHARE_OUTSIDE
    ]
    if faces:
        return max(faces, key=lambda face: face.size * face.score)
    if _is_square(height, width) and max(height, width) <= MAX_ASSUMED_PORTRAIT_SIDE_PX:
        size = min(height, width) / FACE_CROP_MARGIN
        return Face(width / 2, height / 2 + FACE_CROP_RISE * size, size, roll=0.0, score=0.0)
    return None


def crop_portrait(image: Tensor, face: Face, side: int) -> Tensor:
    """Return the square of ``image`` ``(3, H, W)`` around ``face``, upright.

    If the picture is a square that the face fills, upright and in the middle, it is aligned already and its
    middle square is returned in full size. Otherwise the result is ``(3, side, side)``.
    """
    return crop_middle_square(image) if _is_aligned(face, *image.shape[-2:]) else crop_face(image, face, side)


def crop_middle_square(image: Tensor) -> Tensor:
    """Return the largest square in the middle of ``(3, H, W)``."""
    height, width = image.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[:, top : top + side, left : left + side]


def _is_aligned(face: Face, height: int, width: int) -> bool:
    side = min(height, width)
    offset = math.hypot(face.x - width / 2, face.y - height / 2 - FACE_CROP_RISE * face.size)
    min_size, max_size = ALIGNED_FACE_SIZE_RANGE
    return (
        _is_square(height, width)
        and min_size * side <= face.size <= max_size * side
        and offset <= MAX_ALIGNED_FACE_OFFSET * side
        and abs(face.roll) <= MAX_ALIGNED_ROLL_DEGREES
    )


def _is_square(height: int, width: int) -> bool:
    return abs(height - width) <= MAX_SQUARE_SIDE_DIFFERENCE * max(height, width)
