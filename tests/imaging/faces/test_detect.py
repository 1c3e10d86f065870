"""Faces: found where they are, at any size and lean; cut out upright; not found where there are none."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from skimage import data
from torch import Tensor

from artgen.imaging.faces.detect import Face, crop_face, crop_share_outside, find_faces
from artgen.imaging.image import resize

# Eileen Collins, of NASA, in scikit-image: the line between her eyes falls by some 4 degrees to the right.
NOSE, LEAN = (224.0, 120.0), 4


def photograph(name: str) -> Tensor:
    return torch.from_numpy(getattr(data, name)()).permute(2, 0, 1).float() / 255


def leaning(image: Tensor, degrees: float) -> Tensor:
    """The picture turned clockwise about the nose, as a head that leans to its left shoulder."""
    _, height, width = image.shape
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    x, y, turn = x - NOSE[0], y - NOSE[1], math.radians(degrees)
    back_x = NOSE[0] + math.cos(turn) * x + math.sin(turn) * y
    back_y = NOSE[1] - math.sin(turn) * x + math.cos(turn) * y
    grid = torch.stack([2 * back_x / width - 1, 2 * back_y / height - 1], -1)
    return F.grid_sample(image[None], grid[None], "bilinear", "border", align_corners=False)[0]


def upright_crop() -> Tensor:
    return crop_face(photograph("astronaut"), Face(*NOSE, size=90, roll=LEAN, score=1), 64)


def likeness(a: Tensor, b: Tensor) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (a.norm() * b.norm()))


@pytest.mark.parametrize("degrees", [0, -12, 20, -30])
def test_a_face_is_found_with_its_lean_and_set_upright(degrees: float) -> None:
    image = leaning(photograph("astronaut"), degrees)
    face = find_faces(image)[0]
    assert math.hypot(face.x - NOSE[0], face.y - NOSE[1]) < 12
    assert 70 < face.size < 130
    assert face.roll == pytest.approx(degrees + LEAN, abs=4)
    assert 0.4 < face.score <= 1
    again = crop_face(image, Face(*NOSE, size=90, roll=face.roll, score=1), 64)
    assert likeness(again, upright_crop()) > 0.9


@pytest.mark.parametrize("factor", [0.35, 1.0, 3.0])
def test_size_follows_the_picture(factor: float) -> None:
    image = photograph("astronaut")
    side = round(512 * factor)
    before = image.clone()
    face = find_faces(resize(image, (side, side)))[0]
    assert torch.equal(image, before)
    top, left, height, width = face.box
    assert height == width
    assert top < NOSE[1] * factor < top + height
    assert left < NOSE[0] * factor < left + width
    assert 70 < face.size / factor < 130


def test_every_face_of_a_group_largest_first() -> None:
    one = photograph("astronaut")[:, :256, 64:384]
    small = torch.zeros_like(one)
    small[:, :180, :224] = resize(one, (180, 224))
    faces = find_faces(torch.cat([small, one], 2))
    assert len(faces) == 2
    assert faces[0].size > faces[1].size
    assert faces[0].x > 320 > faces[1].x


def test_a_crop_has_the_size_asked_for_and_is_not_jagged() -> None:
    image = photograph("astronaut")
    face = find_faces(image)[0]
    for side in (16, 100, 300):
        crop = crop_face(image, face, side)
        assert crop.shape == (3, side, side)
        assert crop.min() >= 0
        assert crop.max() <= 1
    # Reduced sixteen times, a fine check of black and white is grey, not a pattern of its own.
    check = (torch.arange(512)[:, None] + torch.arange(512)[None]).remainder(2).float().expand(3, -1, -1)
    crop = crop_face(check, Face(256, 256, 340, 10, 1), 32)
    assert (crop - 0.5).abs().max() < 0.1


def test_how_much_lies_outside() -> None:
    assert crop_share_outside(Face(50, 50, 40, 30, 1), 100, 100) == 0
    assert crop_share_outside(Face(0, 50, 40, 0, 1), 100, 100) == pytest.approx(0.5, abs=0.02)
    assert crop_share_outside(Face(-200, 50, 40, 0, 1), 100, 100) == 1


@pytest.mark.parametrize("name", ["coffee", "rocket", "retina", "hubble_deep_field"])
def test_no_face_where_there_is_none(name: str) -> None:
    assert find_faces(photograph(name)) == []


def test_any_shape_is_looked_at() -> None:
    for shape in ((3, 1, 1), (3, 5, 900), (3, 40, 30)):
        assert find_faces(torch.rand(shape, generator=torch.Generator().manual_seed(1))) == []
