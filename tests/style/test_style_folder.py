"""A folder of images as one style."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from artgen.errors import ArtgenError
from artgen.imaging.io.files import write_png
from artgen.style.style_folder import read_style_images, to_float_image


def test_all_pictures_within_the_bound(tmp_path: Path) -> None:
    files = []
    for number in range(12):
        picture = torch.rand(3, 150 + 10 * number, 200, generator=torch.Generator().manual_seed(number))
        write_png(tmp_path / f"{number}.png", picture, {})
        files.append(tmp_path / f"{number}.png")
    pictures = read_style_images(files, max_total_pixels=200_000)
    assert len(pictures) == 12
    assert all(picture.dtype == torch.uint8 for picture in pictures)
    assert sum(picture[0].numel() for picture in pictures) <= 1.4 * 200_000
    assert float(to_float_image(pictures[0]).mean()) == pytest.approx(0.5, abs=0.02)


def test_one_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    write_png(tmp_path / "good.png", torch.rand(3, 40, 40), {})
    (tmp_path / "bad.png").write_bytes(b"no picture")
    assert len(read_style_images([tmp_path / "bad.png", tmp_path / "good.png"])) == 1
    with pytest.raises(ArtgenError, match=r"bad\.png"):
        read_style_images([tmp_path / "bad.png"])
