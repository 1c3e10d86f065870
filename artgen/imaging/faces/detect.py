"""Face detection without a neural network: position, size and roll of frontal faces, and upright crops."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from skimage import data
from skimage.feature import Cascade
from torch import Tensor

from artgen.imaging.faces.symmetry import GreyPyramid, patch_to_picture, upright_face_fit
from artgen.imaging.image import luminance, resize, shrink

# Longer side, in px, of the picture in which faces are searched.
SEARCHED_PICTURE_SIDE_PX = 320
# Number of halvings, smallest and largest box (px after halving), factor between sizes: the cascade finds
# small faces in the full picture and large ones in the halvings, where they are neither slow nor too detailed
# for it.
CASCADE_PASSES = ((0, 24, 60, 1.2), (1, 28, 80, 1.15), (2, 36, SEARCHED_PICTURE_SIDE_PX, 1.1))
# The cascade tolerates about 15 degrees of roll. A proposed box is tested again at these angles, in degrees,
# on a patch twice its size.
PROBED_ROLL_DEGREES = range(-30, 31, 10)
PROBE_PATCH_SIDE_PX = 96  # px, of the patch
MAX_PROBE_OFFSET_PX = 14  # px between the patch's middle and a box that still means the same face
# Smallest and largest box (px of the patch), factor between sizes, boxes that must agree: loose to find
# middle, size and roll; strict, on an upright patch, to tell faces from chance.
LOOSE_CASCADE, STRICT_CASCADE = (34, 66, 1.1, 1), (38, 60, 1.06, 4)
# Degrees by which the picture is turned if no upright face is found.
FALLBACK_TILT_DEGREES = (-22.0, 22.0)
MIN_FACE_SCORE = 0.41
# Side of a face's crop, and height of its middle above that of the face, relative to the side of the face's
# square. That square is the lower part of a head; in the crop the head is in the middle, as in 80 portraits
# that the shipped models were trained on: side 1.47, middle 0.11 higher.
FACE_CROP_MARGIN, FACE_CROP_RISE = 1.5, 0.11
# Boxes whose middles are closer than this share of the larger side are one face.
SAME_FACE_SIDE_SHARE = 0.6


@dataclass(frozen=True)
class Face:
    """A frontal face: the square that the cascade finds, from the brows to the chin.

    Attributes:
        x: middle, px from the picture's left.
        y: middle, px from its top.
        size: side of the square, px.
        roll: degrees by which the head is tilted, clockwise in the picture.
        score: confidence, 0 to 1.
    """

    x: float
    y: float
    size: float
    roll: float
    score: float

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The upright square as ``(top, left, height, width)``, px."""
        half = self.size / 2
        return round(self.y - half), round(self.x - half), round(self.size), round(self.size)


def find_faces(image: Tensor) -> list[Face]:
    """Find the frontal faces of ``(3, H, W)`` in [0, 1], largest first; from a 13th of the longer side.

    Local binary patterns in a boosted cascade (Ahonen et al. 2004; Viola and Jones 2001), the one in
    scikit-image, propose boxes. A box must be found again on turned patches of it: true faces are found at
    most angles, chance ones at few. Middle and size are medians over the boxes found. The roll is the angle
    at which a sketch of a face and mirror symmetry fit best; at this angle the cascade runs again with strict
    settings.
    """
    height, width = image.shape[-2:]
    ratio = min(2.0, SEARCHED_PICTURE_SIDE_PX / max(height, width))
    small = luminance(resize(image, (max(1, round(height * ratio)), max(1, round(width * ratio)))))
    grey = GreyPyramid(Image.fromarray((small[0].clamp(0, 1) * 255).round().byte().numpy()))
    candidates = _find_confirmed_faces(grey, 0.0)
    if not candidates:
        candidates = [face for tilt in FALLBACK_TILT_DEGREES for face in _find_confirmed_faces(grey, tilt)]
    candidates.sort(key=lambda face: -face.score)
    faces: list[Face] = []
    for face in candidates:
        if all(
            math.hypot(face.x - other.x, face.y - other.y) > SAME_FACE_SIDE_SHARE * max(face.size, other.size)
            for other in faces
        ):
            faces.append(face)
    scaled = [Face(f.x / ratio, f.y / ratio, f.size / ratio, f.roll, f.score) for f in faces]
    return sorted(scaled, key=lambda face: -face.size)


def crop_face(image: Tensor, face: Face, side: int, margin: float = FACE_CROP_MARGIN) -> Tensor:
    """Cut out a head, upright and in the middle: ``(3, side, side)``.

    Args:
        image: ``(3, H, W)`` in [0, 1].
        face: one of ``find_faces``.
        side: of the result, px.
        margin: side of the crop over the side of the face's square. Where the crop extends beyond the
            picture, the picture's edge is repeated: see ``crop_share_outside``.
    """
    size = face.size * margin
    ratio = min(1.0, side / size)
    height, width = (max(1, round(length * ratio)) for length in image.shape[-2:])
    source = shrink(image, (height, width)) if ratio < 1 else image
    height, width = source.shape[-2:]
    roll = math.radians(face.roll)
    steps = (torch.arange(side) + 0.5) / side - 0.5
    down, across = torch.meshgrid(steps * size - FACE_CROP_RISE * face.size, steps * size, indexing="ij")
    x = face.x + math.cos(roll) * across - math.sin(roll) * down
    y = face.y + math.sin(roll) * across + math.cos(roll) * down
    grid = torch.stack([2 * x / image.shape[-1] - 1, 2 * y / image.shape[-2] - 1], -1)
    crop = F.grid_sample(source[None], grid[None], "bicubic", "border", align_corners=False)
    return crop[0].clamp(0, 1)


def crop_share_outside(face: Face, height: int, width: int, margin: float = FACE_CROP_MARGIN) -> float:
    """Return the share of a face's crop, 0 to 1, outside a picture of ``height`` x ``width`` px."""
    steps = np.linspace(-0.5, 0.5, 33)
    roll, size = math.radians(face.roll), face.size * margin
    across, down = np.meshgrid(steps * size, steps * size - FACE_CROP_RISE * face.size)
    x = face.x + math.cos(roll) * across - math.sin(roll) * down
    y = face.y + math.sin(roll) * across + math.cos(roll) * down
    return float(((x < 0) | (y < 0) | (x > width) | (y > height)).mean())


def _find_confirmed_faces(grey: GreyPyramid, tilt: float) -> list[Face]:
    """Find the faces of a small grey picture after turning it by ``tilt`` degrees."""
    picture = grey.levels[0]
    middle, longer_side = (picture.width / 2, picture.height / 2), max(picture.size)
    turned = grey
    if tilt:
        turned = GreyPyramid(grey.sample_patch(*middle, longer_side, tilt, longer_side))
    faces = []
    for level, min_side, max_side, factor in CASCADE_PASSES:
        if level >= len(turned.levels):
            break
        scale = 2.0**level
        level_picture = turned.levels[level]
        for x, y, size in _run_cascade(
            level_picture, min_side, min(max_side, *level_picture.size), factor, 2
        ):
            x, y, size = x * scale, y * scale, size * scale
            if tilt:
                offset = (x / longer_side - 0.5, y / longer_side - 0.5)
                x, y = patch_to_picture(*middle, longer_side, tilt, offset)
            face = _confirm_face(grey, x, y, size, tilt)
            if face is not None and face.score >= MIN_FACE_SCORE:
                faces.append(face)
    return faces


def _confirm_face(grey: GreyPyramid, x: float, y: float, size: float, tilt: float) -> Face | None:
    """Return the face of a proposed box if it is found again at several angles, else None."""
    boxes = np.empty((0, 4))
    for _ in range(2):  # the second time around the middle that the first one found
        boxes = _probe_at_rolls(grey, x, y, size, tilt, LOOSE_CASCADE)
        if not len(boxes):
            return None
        x, y, size = np.median(boxes[:, 1:], axis=0)
    rolls = np.unique(boxes[:, 0])
    if len(rolls) < 2:
        return None
    fits: dict[float, float] = {}
    for step in (4, 2, 1):  # around the mean of the rolls first, then around the best fit
        centre = max(fits, key=lambda roll: fits[roll]) if fits else float(rolls.mean())
        radius = 4 * step if not fits else step
        for roll in np.arange(centre - radius, centre + radius + 1, step):
            fits[float(roll)] = upright_face_fit(grey, x, y, size, float(roll))
    best_roll = max(fits, key=lambda roll: fits[roll])
    strict_rolls = np.unique(_probe_at_rolls(grey, x, y, size, best_roll, STRICT_CASCADE)[:, 0])
    probe_score = (len(rolls) + 2 * len(strict_rolls)) / (3 * len(PROBED_ROLL_DEGREES))
    return Face(float(x), float(y), float(size), best_roll, (probe_score + fits[best_roll] / 2) / 2)


def _probe_at_rolls(
    grey: GreyPyramid,
    x: float,
    y: float,
    size: float,
    tilt: float,
    settings: tuple[int, int, float, int],
) -> Any:
    """Run the cascade on turned patches: rows of (roll, x, y, size) of boxes around the same middle."""
    rows = []
    for roll in (tilt + probed_roll for probed_roll in PROBED_ROLL_DEGREES):
        probe = grey.sample_patch(x, y, 2 * size, roll, PROBE_PATCH_SIDE_PX)
        for box_x, box_y, box_side in _run_cascade(probe, *settings):
            if (
                abs(box_x - PROBE_PATCH_SIDE_PX / 2) < MAX_PROBE_OFFSET_PX
                and abs(box_y - PROBE_PATCH_SIDE_PX / 2) < MAX_PROBE_OFFSET_PX
            ):
                offset = box_x / PROBE_PATCH_SIDE_PX - 0.5, box_y / PROBE_PATCH_SIDE_PX - 0.5
                position = patch_to_picture(x, y, 2 * size, roll, offset)
                rows.append((roll, *position, box_side * 2 * size / PROBE_PATCH_SIDE_PX))
    return np.array(rows).reshape(-1, 4)


def _run_cascade(
    grey: Image.Image, min_side: int, max_side: int, factor: float, min_neighbours: int
) -> list[tuple[float, float, float]]:
    """Return the boxes that the cascade finds: (x, y) of the middle and the side, px."""
    boxes = _load_cascade().detect_multi_scale(
        np.asarray(grey),
        scale_factor=factor,
        step_ratio=1.0,
        min_size=(min_side, min_side),
        max_size=(max_side, max_side),
        min_neighbor_number=min_neighbours,
    )
    return [(b["c"] + b["width"] / 2, b["r"] + b["height"] / 2, float(b["width"])) for b in boxes]


@cache
def _load_cascade() -> Any:
    return Cascade(data.lbp_frontal_face_cascade_filename())
