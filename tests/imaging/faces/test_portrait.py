"""Which square of a picture is the portrait."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from skimage import data
from torch import Tensor

from artgen.imaging.faces.detect import FACE_CROP_MARGIN, Face, crop_face, find_faces
from artgen.imaging.faces.portrait import crop_middle_square, crop_portrait, find_portrait_face
from artgen.imaging.image import resize
from artgen.imaging.io.files import read_image
from artgen.references import find_images


def photograph(name: str) -> Tensor:
    return torch.from_numpy(getattr(data, name)()).permute(2, 0, 1).float() / 255


@pytest.fixture(scope="module")
def astronaut() -> Face:
    return find_faces(photograph("astronaut"))[0]


def test_the_face_of_a_photograph_is_cut_out_upright(astronaut: Face) -> None:
    image = photograph("astronaut")
    face = find_portrait_face(image)
    assert face == astronaut
    assert torch.equal(crop_portrait(image, face, 64), crop_face(image, face, 64))


def test_of_several_the_largest(astronaut: Face) -> None:
    one = photograph("astronaut")[:, :256, 64:384]
    small = torch.zeros_like(one)
    small[:, :180, :224] = resize(one, (180, 224))
    face = find_portrait_face(torch.cat([small, one], 2))
    assert face is not None
    assert face.x > 320
    assert face.size == pytest.approx(astronaut.size, rel=0.2)


@pytest.mark.parametrize("name", ["amber-01", "raven-01"])
def test_what_is_aligned_already_stays_as_it_is(name: str) -> None:
    (file,) = (file for file in find_images("builtin:portraits", Path()) if file.stem == name)
    image = read_image(file)
    face = find_portrait_face(image)
    assert face is not None
    assert face.score > 0
    assert torch.equal(crop_portrait(image, face, 64), image)


def test_so_does_what_was_cut_out_before(astronaut: Face) -> None:
    square = crop_face(photograph("astronaut"), astronaut, 200)
    face = find_portrait_face(square)
    assert face is not None
    assert torch.equal(crop_portrait(square, face, 64), square)


def test_a_small_square_holds_a_face_even_if_none_is_found() -> None:
    image = photograph("coffee")[:, :300, :302]
    face = find_portrait_face(image)
    assert face is not None
    assert (face.size * FACE_CROP_MARGIN, face.roll, face.score) == (pytest.approx(300), 0, 0)
    assert torch.equal(crop_portrait(image, face, 64), crop_middle_square(image))


def test_no_portrait() -> None:
    assert find_portrait_face(photograph("coffee")) is None
    # A face that the edge cuts in half.
    assert find_portrait_face(photograph("astronaut")[:, 40:300, 190:390]) is None
