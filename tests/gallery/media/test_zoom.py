"""Deep zoom: the tiles are a DZI pyramid of the whole picture."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artgen.errors import ArtgenError
from artgen.gallery.media.zoom import MAX_UNTILED_SIDE_PX, write_tile_pyramid

WIDTH, HEIGHT = MAX_UNTILED_SIDE_PX + 104, 700


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "zoom").mkdir()
    return tmp_path


def test_a_picture_that_needs_none(site: Path) -> None:
    Image.new("RGB", (MAX_UNTILED_SIDE_PX, 8)).save(site / "a.png")
    assert write_tile_pyramid(site / "a.png", site, "a") is None
    assert not list((site / "zoom").iterdir())


def test_the_tiles_make_up_the_picture(site: Path) -> None:
    across = np.linspace(0, 255, WIDTH).astype(np.uint8)
    pixels = np.stack([np.tile(across, (HEIGHT, 1))] * 3, axis=2)
    Image.fromarray(pixels).save(site / "a.png")
    pyramid = write_tile_pyramid(site / "a.png", site, "a")
    assert pyramid is not None
    assert (pyramid.folder, pyramid.width, pyramid.height) == ("zoom/a_files", WIDTH, HEIGHT)
    assert [path.name for path in (site / "zoom").iterdir()] == ["a_files"]
    top = math.ceil(math.log2(WIDTH))
    assert sorted(int(path.name) for path in (site / pyramid.folder).iterdir()) == list(range(top + 1))
    whole = np.zeros_like(pixels)
    for tile in (site / pyramid.folder / str(top)).iterdir():
        column, row = (int(part) for part in tile.stem.split("_"))
        left, above = (max(0, at * pyramid.tile - pyramid.overlap) for at in (column, row))
        with Image.open(tile) as image:
            whole[above : above + image.height, left : left + image.width] = image
    assert np.abs(whole.astype(int) - pixels).max() < 12
    with Image.open(site / pyramid.folder / "0" / "0_0.jpg") as image:
        assert image.size == (1, 1)


def test_one_that_lies_on_its_side(site: Path) -> None:
    image = Image.new("RGB", (WIDTH, 300), "red")
    image.paste("blue", (0, 0, WIDTH // 2, 300))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(site / "a.jpg", exif=exif)
    pyramid = write_tile_pyramid(site / "a.jpg", site, "a")
    assert pyramid is not None
    assert (pyramid.width, pyramid.height) == (300, WIDTH)
    with Image.open(site / pyramid.folder / "13" / "0_0.jpg") as tile:
        assert tile.convert("RGB").getpixel((10, 10))[2] > 200


def test_half_a_large_picture(site: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (200, WIDTH, 3), np.uint8)
    Image.fromarray(noise).save(site / "a.png")
    (site / "a.png").write_bytes((site / "a.png").read_bytes()[:400_000])
    with pytest.raises(ArtgenError, match="damaged"):
        write_tile_pyramid(site / "a.png", site, "a")
