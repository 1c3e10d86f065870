"""Faces in pictures: where they are, how they lean, and upright crops of them. No weights, no network."""

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

from artgen.imaging.faces.symmetry import Pyramid, likeness, placed
from artgen.imaging.image import luminance, resize, shrink

# Faces are looked for on a picture of this longer side.
SEARCH = 320
# Halvings of it, smallest and largest box (px there), step between sizes: the cascade sees small faces on the
# whole and large ones on the halves, where they are neither slow nor lost in detail.
SEARCHES = ((0, 24, 60, 1.2), (1, 28, 80, 1.15), (2, 36, SEARCH, 1.1))
# The cascade stands about 15 degrees of roll. A proposal is asked again at these, on a patch twice its size.
LEANINGS = range(-30, 31, 10)
PROBE = 96
NEAR = 14  # px of the probe between its middle and a box that still means the same face
# Smallest and largest box (px of the probe), step between sizes, boxes that must agree: to find middle, size
# and lean, where one box is an answer; and to be sure, upright, where chance has few boxes.
LOOSE, STRICT = (34, 66, 1.1, 1), (38, 60, 1.06, 4)
# Tried when no upright face is found.
TILTS = (-22.0, 22.0)
# The least score of a face.
SURE = 0.41
# A face's crop: its side, and how far its middle lies above the face's, over the side of the face's square.
# That is the lower part of a head: so framed the head is in the middle, and the face where it is on 80 of the
# portraits that the shipped models learned from: their side is 1.47 of the square's, their middle 0.11 above.
MARGIN, RISE = 1.5, 0.11
# Two boxes whose middles are nearer than this share of the larger side are one face.
SAME = 0.6


@dataclass(frozen=True)
class Face:
    """A frontal face: the square the cascade finds, from the brows to the chin.

    Attributes:
        x: middle, px from the picture's left.
        y: middle, px from its top.
        size: side of the square, px.
        roll: degrees by which the head leans clockwise as seen.
        score: how sure, 0 to 1.
    """

    x: float
    y: float
    size: float
    roll: float
    score: float

    @property
    def box(self) -> tuple[int, int, int, int]:
        """``(top, left, height, width)`` of the upright square."""
        half = self.size / 2
        return round(self.y - half), round(self.x - half), round(self.size), round(self.size)


def find_faces(image: Tensor) -> list[Face]:
    """The frontal faces of ``(3, H, W)`` in [0, 1], largest first; at least a 13th of the longer side each.

    Local binary patterns in a boosted cascade (Ahonen et al. 2004; Viola and Jones 2001), the one inside
    scikit-image, propose boxes. A box must be found again on patches of it that are turned: true faces answer
    at most angles, chance ones at few. Middle and size are medians over the answers. The roll is the leaning
    at which a sketch of a face and mirror symmetry fit best; about it answers are counted again, strictly.
    """
    height, width = image.shape[-2:]
    ratio = min(2.0, SEARCH / max(height, width))
    small = luminance(resize(image, (max(1, round(height * ratio)), max(1, round(width * ratio)))))
    grey = Pyramid(Image.fromarray((small[0].clamp(0, 1) * 255).round().byte().numpy()))
    found = _judged(grey, 0.0) or [face for tilt in TILTS for face in _judged(grey, tilt)]
    found.sort(key=lambda face: -face.score)
    kept: list[Face] = []
    for face in found:
        if all(math.hypot(face.x - k.x, face.y - k.y) > SAME * max(face.size, k.size) for k in kept):
            kept.append(face)
    scaled = [Face(f.x / ratio, f.y / ratio, f.size / ratio, f.roll, f.score) for f in kept]
    return sorted(scaled, key=lambda face: -face.size)


def crop_face(image: Tensor, face: Face, side: int, margin: float = MARGIN) -> Tensor:
    """The head upright in the middle: ``(3, side, side)``.

    Args:
        image: ``(3, H, W)`` in [0, 1].
        face: one of ``find_faces``.
        side: px of the result.
        margin: side of what is shown over the side of the face's square. What lies outside of the picture
            repeats its edge: see ``outside``.
    """
    size = face.size * margin
    ratio = min(1.0, side / size)
    height, width = (max(1, round(length * ratio)) for length in image.shape[-2:])
    source = shrink(image, (height, width)) if ratio < 1 else image
    height, width = source.shape[-2:]
    lean = math.radians(face.roll)
    steps = (torch.arange(side) + 0.5) / side - 0.5
    down, right = torch.meshgrid(steps * size - RISE * face.size, steps * size, indexing="ij")
    x = face.x + math.cos(lean) * right - math.sin(lean) * down
    y = face.y + math.sin(lean) * right + math.cos(lean) * down
    grid = torch.stack([2 * x / image.shape[-1] - 1, 2 * y / image.shape[-2] - 1], -1)
    cut = F.grid_sample(source[None], grid[None], "bicubic", "border", align_corners=False)
    return cut[0].clamp(0, 1)


def outside(face: Face, height: int, width: int, margin: float = MARGIN) -> float:
    """Share of such a crop, 0 to 1, that lies outside of a picture of ``height`` x ``width`` px."""
    steps = np.linspace(-0.5, 0.5, 33)
    lean, size = math.radians(face.roll), face.size * margin
    across, down = np.meshgrid(steps * size, steps * size - RISE * face.size)
    x = face.x + math.cos(lean) * across - math.sin(lean) * down
    y = face.y + math.sin(lean) * across + math.cos(lean) * down
    return float(((x < 0) | (y < 0) | (x > width) | (y > height)).mean())


def _judged(grey: Pyramid, tilt: float) -> list[Face]:
    """Faces of a small grey picture, looked for with the picture turned by ``tilt``."""
    whole = grey.levels[0]
    middle, reach = (whole.width / 2, whole.height / 2), max(whole.size)
    turned = Pyramid(grey.patch(*middle, reach, tilt, reach)) if tilt else grey
    faces = []
    for level, least, largest, factor in SEARCHES:
        if level >= len(turned.levels):
            break
        scale = 2.0**level
        picture = turned.levels[level]
        for x, y, size in _boxes(picture, least, min(largest, *picture.size), factor, 2):
            x, y, size = x * scale, y * scale, size * scale
            if tilt:
                x, y = placed(*middle, reach, tilt, (x / reach - 0.5, y / reach - 0.5))
            face = _confirmed(grey, x, y, size, tilt)
            if face is not None and face.score >= SURE:
                faces.append(face)
    return faces


def _confirmed(grey: Pyramid, x: float, y: float, size: float, tilt: float) -> Face | None:
    """The face of a proposal, if it is found again at several leanings and looks like one."""
    answers = np.empty((0, 4))
    for _ in range(2):  # the second time about the middle that the first one found
        answers = _answers(grey, x, y, size, tilt, LOOSE)
        if not len(answers):
            return None
        x, y, size = np.median(answers[:, 1:], axis=0)
    leanings = np.unique(answers[:, 0])
    if len(leanings) < 2:
        return None
    fits: dict[float, float] = {}
    for step in (4, 2, 1):  # about the middle of the leanings first, then about the best
        centre = max(fits, key=lambda lean: fits[lean]) if fits else float(leanings.mean())
        reach = 4 * step if not fits else step
        for lean in np.arange(centre - reach, centre + reach + 1, step):
            fits[float(lean)] = likeness(grey, x, y, size, float(lean))
    roll = max(fits, key=lambda lean: fits[lean])
    sure = len(np.unique(_answers(grey, x, y, size, roll, STRICT)[:, 0]))
    score = ((len(leanings) + 2 * sure) / (3 * len(LEANINGS)) + fits[roll] / 2) / 2
    return Face(float(x), float(y), float(size), roll, score)


def _answers(
    grey: Pyramid, x: float, y: float, size: float, tilt: float, how: tuple[int, int, float, int]
) -> Any:
    """Rows of leaning, x, y, size: the cascade's boxes that mean the same face."""
    rows = []
    for lean in (tilt + leaning for leaning in LEANINGS):
        probe = grey.patch(x, y, 2 * size, lean, PROBE)
        for found_x, found_y, found in _boxes(probe, *how):
            if abs(found_x - PROBE / 2) < NEAR and abs(found_y - PROBE / 2) < NEAR:
                share = found_x / PROBE - 0.5, found_y / PROBE - 0.5
                rows.append((lean, *placed(x, y, 2 * size, lean, share), found * 2 * size / PROBE))
    return np.array(rows).reshape(-1, 4)


def _boxes(
    grey: Image.Image, least: int, largest: int, factor: float, neighbours: int
) -> list[tuple[float, float, float]]:
    """What the cascade finds: (x, y) of the middle and the side, px."""
    found = _cascade().detect_multi_scale(
        np.asarray(grey),
        scale_factor=factor,
        step_ratio=1.0,
        min_size=(least, least),
        max_size=(largest, largest),
        min_neighbor_number=neighbours,
    )
    return [(b["c"] + b["width"] / 2, b["r"] + b["height"] / 2, float(b["width"])) for b in found]


@cache
def _cascade() -> Any:
    return Cascade(data.lbp_frontal_face_cascade_filename())
