"""Every kind of picture is read as what it is, and shown on a site with the same pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artgen.errors import ArtgenError
from artgen.gallery.media.source_picture import SourcePicture
from artgen.imaging.io.files import read_image
from tests.imaging.io.odd_pictures import BROKEN, SCENE, OddPicture, list_odd_pictures, profile, vips_tiff

PICTURES = list(list_odd_pictures())


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_the_pixels_of_a_picture(tmp_path: Path, picture: OddPicture) -> None:
    file = tmp_path / picture.name
    file.write_bytes(picture.content)
    read = read_image(file).permute(1, 2, 0).numpy() * 255
    if picture.pixels is not None:
        assert np.abs(read - picture.pixels).max() <= picture.tolerance
    shown = SourcePicture(file)
    assert (shown.height, shown.width) == read.shape[:2]
    for image in (shown.shrink(shown.width, shown.height), shown.open_full()):
        pixels = image.numpy().reshape(*read.shape[:2], -1).astype(float)
        assert np.abs(pixels - read).max() <= 2


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_is_said_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BROKEN[name]())
    with pytest.raises(ArtgenError, match=r"empty file|not a picture|damaged"):
        read_image(tmp_path / name)


def test_float_colours_with_a_profile(tmp_path: Path) -> None:
    """As the same numbers with 8 bits and that profile."""
    (tmp_path / "p3.icc").write_bytes(profile("p3"))
    unit = SCENE.astype(np.float32) / 255
    (tmp_path / "a.tif").write_bytes(vips_tiff(unit, "rgb", profile=str(tmp_path / "p3.icc")))
    Image.fromarray(SCENE).save(tmp_path / "a.png", icc_profile=profile("p3"))
    assert (read_image(tmp_path / "a.tif") - read_image(tmp_path / "a.png")).abs().max() < 2 / 255


def test_kinds_of_tiff_that_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(vips_tiff(np.ones((8, 8, 3), np.uint32), "multiband"))
    with pytest.raises(ArtgenError, match="of a kind that is not read"):
        read_image(tmp_path / "a.tif")
    Image.fromarray(np.full((8, 8), 70_000, np.int32)).save(tmp_path / "b.tif")
    with pytest.raises(ArtgenError, match=r"b\.tif: 32-bit integer pixels"):
        read_image(tmp_path / "b.tif")
