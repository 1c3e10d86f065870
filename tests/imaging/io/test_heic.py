"""HEIC, which iPhones record: read where the extra is installed, else named with what reads it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artgen.imaging.io.files import read_image
from artgen.imaging.io.opening import open_image
from tests.imaging.io.odd_pictures import SCENE, on_its_side, oriented, profile

ROOT = Path(__file__).parents[3]
# What a HEIC begins with; its pictures are not needed to tell it.
HEADER = b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf" + bytes(200)
RECIPE = '[source]\nuse = "photos"\nimages = "{images}"\nside = 1000\n'
TRAINING = """\
family = "dcgan"
title = "small"
side = 128
steps = 1
size = 32
latent = 8
width = 4
critic_width = 4
batch = 4
"""
MESSAGE = "a HEIC picture; the extra `heic` reads it (try: pip install 'artgen[heic]')"


def write_heic(file: Path, image: Image.Image, **options: object) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    image.save(file, "HEIF", quality=95, **options)


@pytest.mark.parametrize("orientation", [1, 6])
def test_pixels_and_orientation(tmp_path: Path, orientation: int) -> None:
    image = Image.fromarray(SCENE) if orientation == 1 else on_its_side(orientation)
    write_heic(tmp_path / "a.heic", image, exif=oriented(orientation).tobytes())
    read = read_image(tmp_path / "a.heic").permute(1, 2, 0).numpy() * 255
    assert read.shape == SCENE.shape
    assert np.abs(read - SCENE).mean() < 2
    with open_image(tmp_path / "a.heic") as opened:
        assert opened.format == "HEIF"


def test_a_profile_is_followed(tmp_path: Path) -> None:
    image = Image.fromarray(SCENE)
    write_heic(tmp_path / "a.heic", image, icc_profile=profile("p3"))
    image.save(tmp_path / "a.png", icc_profile=profile("p3"))
    difference = read_image(tmp_path / "a.heic") - read_image(tmp_path / "a.png")
    assert difference.abs().mean() < 2 / 255


def test_publish_shows_it_and_withholds_the_original(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    write_heic(tmp_path / "photos" / "a.HEIC", Image.fromarray(SCENE))
    (tmp_path / "gallery.toml").write_text("originals = true\n")
    done = artgen(tmp_path, "publish", "photos", with_heic=True)
    assert done.returncode == 0, done.stderr
    assert "no original to download" in done.stderr
    with Image.open(tmp_path / "gallery" / "images" / "a.png") as shown:
        pixels = read_image(tmp_path / "photos" / "a.HEIC").permute(1, 2, 0).numpy() * 255
        assert np.abs(np.asarray(shown) - pixels).max() <= 1


def artgen(folder: Path, *arguments: str, with_heic: bool) -> subprocess.CompletedProcess[str]:
    paths = [str(ROOT)]
    if not with_heic:
        (folder / "none").mkdir(exist_ok=True)
        (folder / "none" / "pillow_heif.py").write_text("raise ImportError")
        paths.insert(0, str(folder / "none"))
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "COLUMNS": "10000",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "artgen", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_without_the_extra_every_command_says_what_reads_it(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "phone.heic").write_bytes(HEADER)
    (tmp_path / "photos" / "phone.jpg").write_bytes(HEADER)  # some programs rename them so
    (tmp_path / "photos" / "other.heic").write_bytes(HEADER)
    Image.fromarray(SCENE).save(tmp_path / "photos" / "a.png")
    (tmp_path / "named.toml").write_text(RECIPE.format(images="phone.heic"))
    (tmp_path / "folder.toml").write_text(RECIPE.format(images="photos"))
    (tmp_path / "small.toml").write_text(TRAINING)
    hint = "1 file left out: .heic (1); pip install 'artgen[heic]' reads HEIC"
    for arguments, expected in (
        (["run", "named.toml", "-n", "1"], [MESSAGE]),
        (["run", "folder.toml", "-n", "2"], [MESSAGE, hint]),
        (["check", "folder.toml"], [hint, "phone.jpg: a HEIC picture (pip install 'artgen[heic]')"]),
        (["style", "phone.heic", "great-wave"], [MESSAGE]),
        (["train", "small.toml", "--data", "photos"], [MESSAGE, hint]),
        (["data", "check", "photos"], ["a HEIC picture", "other files, not read: 1 .heic"]),
        (["publish", "photos"], [MESSAGE, hint]),
    ):
        done = artgen(tmp_path, *arguments, with_heic=False)
        assert "Traceback" not in done.stderr
        for text in expected:
            assert text in done.stdout + done.stderr, (arguments, done.stderr)
