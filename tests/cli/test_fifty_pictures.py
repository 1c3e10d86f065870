"""Odd pictures and films reach every command with the same pixels; what is left out is named by each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from artgen.cli import app
from artgen.errors import ArtgenError
from artgen.hashing import file_hash
from artgen.imaging.film.frames import read_frames
from artgen.imaging.io.files import read_image
from artgen.references import find_images
from tests.imaging.film.odd_films import BROKEN_FILMS, FILMS, OddFilm, write_odd_films
from tests.imaging.io.odd_pictures import BROKEN, OddPicture, write_broken_pictures, write_odd_pictures

ROOT = Path(__file__).parents[2]
TOLERANCE = 2  # of 255
OTHER_FILES = ("notes.txt", "sidecar.xmp", "drawing.svg", "raw.dng")
OTHER_KINDS = (".mov", ".mkv", ".webm", ".avi", ".mts", ".m4v", ".svg", ".dng")
# Broken behind their headers, which is seen when they are decoded.
TORN = {"torn.png", "torn.jpg"}
RECIPE = '[source]\nuse = "photos"\nimages = "photos"\nside = 65536\n'
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


def artgen(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "10000"}
    command = [sys.executable, "-m", "artgen", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=600
    )


class Place:
    """A folder with ``photos``, the pictures that can be read by name, and the films."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.photos = folder, folder / "photos"
        self.photos.mkdir()
        self.pictures: dict[str, OddPicture] = {
            picture.name: picture for picture in write_odd_pictures(self.photos)
        }
        self.films: list[OddFilm] = list(write_odd_films(self.photos))
        write_broken_pictures(self.photos)
        for name in OTHER_FILES:
            (self.photos / name).write_bytes(b"<svg/>")
        (self.photos / "gone.png").symlink_to("nowhere.png")
        (folder / "photos.toml").write_text(RECIPE)
        (folder / "small.toml").write_text(TRAINING)

    def read(self, name: str) -> np.ndarray:
        return read_image(self.photos / name).permute(1, 2, 0).numpy() * 255

    def check(self, name: str, pixels: np.ndarray) -> None:
        """Assert that a command has the picture's pixels, and that these are what they are to be."""
        read, known = self.read(name), self.pictures[name].pixels
        assert pixels.shape == read.shape, name
        assert np.abs(pixels.astype(float) - read).max() <= TOLERANCE, name
        if known is not None:
            assert np.abs(read - known).max() <= self.pictures[name].tolerance, name


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("fifty"))


def check_notes(said: str, place: Place) -> None:
    """Assert that everything left out is counted, and what is read in part is named."""
    shown_films = [name for name in (*(film.name for film in FILMS), *BROKEN_FILMS) if name.endswith(".mp4")]
    assert f".mp4 ({len(shown_films)})" in said
    for kind in OTHER_KINDS:
        assert f"{kind} (1)" in said
    assert "no pictures (2)" in said
    assert "broken links (1)" in said
    assert f"{len(FILMS) + len(BROKEN_FILMS) + len(OTHER_FILES) + 1} files left out: " in said
    for picture in place.pictures.values():
        assert (f"{picture.name} ({picture.frames})" in said) == (picture.frames > 1), picture.name


def pixels_of(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def test_there_are_as_many_as_promised(place: Place) -> None:
    assert len(place.pictures) >= 50
    assert len(FILMS) + len(BROKEN_FILMS) == 20


@pytest.mark.slow
def test_check_and_run(place: Place) -> None:
    checked = artgen(place.folder, "check", "photos.toml")
    assert checked.returncode == 0, checked.stderr
    check_notes(checked.stderr, place)
    unreadable = BROKEN.keys() - TORN
    assert f"{len(unreadable)} pictures that cannot be read: " in checked.stderr
    assert all(f"{name}: " in checked.stderr for name in unreadable)
    files = find_images("photos", place.folder)
    done = artgen(place.folder, "run", "photos.toml", "-n", str(len(files)), "--json")
    check_notes(done.stderr, place)
    report = json.loads(done.stdout)
    failed = {files[each["candidate"] - 1].name for each in report["failed"]}
    assert failed == set(BROKEN)
    assert all(name in done.stderr for name in BROKEN)
    assert len(report["candidates"]) == len(place.pictures)
    for candidate in report["candidates"]:
        place.check(files[candidate["index"] - 1].name, pixels_of(place.folder / candidate["file"]))


@pytest.mark.slow
def test_style(place: Place) -> None:
    runner, output = CliRunner(), place.folder / "styled.png"
    options = ["great-wave", "--strength", "0", "--no-live", "--force", "-o", str(output)]
    for name, picture in place.pictures.items():
        done = runner.invoke(app, ["style", str(place.photos / name), *options])
        assert done.exit_code == 0, (name, done.output)
        assert ("of several frames or pages, of which the first" in done.stderr) == (picture.frames > 1)
        place.check(name, pixels_of(output))
    for name in BROKEN:
        done = runner.invoke(app, ["style", str(place.photos / name), *options])
        assert isinstance(done.exception, ArtgenError)
        assert name in str(done.exception)


@pytest.mark.slow
def test_train_and_data(place: Place) -> None:
    done = artgen(place.folder, "train", "small.toml", "--data", "photos", "--folder", "training")
    assert done.returncode == 0, done.stderr
    check_notes(done.stderr + done.stdout, place)
    (index_file,) = (place.folder / "training").glob("data-*.json")
    index, files = json.loads(index_file.read_text()), find_images("photos", place.folder)
    flat = np.fromfile(index_file.with_suffix(".u8"), np.uint8)
    assert {files[number].name for number, _ in index["skipped"]} == set(BROKEN)
    assert len(index["images"]) == len(place.pictures)
    for number, start, height, width in index["images"]:
        place.check(files[number].name, flat[start : start + height * width * 3].reshape(height, width, 3))
    checked = json.loads(artgen(place.folder, "data", "check", "photos", "--json").stdout)
    assert {Path(name).name for name in checked["corrupt"]} == set(BROKEN)
    assert checked["others"][".mov"] == checked["others"][".svg"] == 1
    several = {name for name, picture in place.pictures.items() if picture.frames > 1}
    assert {Path(name).name for name in checked["animated"]} == several


@pytest.mark.slow
def test_publish(place: Place) -> None:
    done = artgen(place.folder, "publish", "photos")
    assert done.returncode == 2  # for the broken ones
    for name in (*BROKEN, *(name for name in BROKEN_FILMS if name.endswith(".mp4"))):
        assert f"{name}: " in done.stderr, name
    assert ".mp4" not in done.stderr.partition(" files left out: ")[2].splitlines()[0]
    for kind in (*OTHER_KINDS, "broken links", "no pictures"):
        assert f"{kind} (1)" in done.stderr
    for picture in place.pictures.values():
        assert (f"{picture.name} ({picture.frames})" in done.stderr) == (picture.frames > 1), picture.name
    names = {file_hash(file): file.name for file in place.photos.iterdir() if file.is_file()}
    site = place.folder / "gallery"
    works = json.loads((site / ".artgen-gallery.json").read_text())["works"].values()
    shown = {
        names[work["parts"]["picture"]]: pixels_of(site / work["rendered"]["image"]["source"])
        for work in works
    }
    films = {film.name: film for film in FILMS if film.name.endswith(".mp4")}
    assert shown.keys() == place.pictures.keys() | films.keys()
    for name in place.pictures:
        place.check(name, shown[name])
    for name in films:
        frame = next(read_frames(place.photos / name)).to_rgb()
        assert np.array_equal(shown[name], frame), name


@pytest.mark.slow
def test_films(place: Place) -> None:
    """Frames that are extracted are those that are shown, and what was filmed."""
    options = ["--png", "--size", "own", "--every", "1000", "--blank", "--alike", "--bars", "-o", "frames"]
    done = artgen(place.folder, "data", "frames", *(f"photos/{film.name}" for film in FILMS), *options)
    assert done.returncode == 0, done.stderr
    for film in FILMS:
        (file,) = (place.folder / "frames").glob(f"{film.name.rpartition('.')[0]}-*.png")
        filmed = np.rot90(film.pixels, film.rotation // 90).astype(float)
        assert np.abs(pixels_of(file) - filmed).mean() < 1.5, film.name
        frame = next(read_frames(place.photos / film.name)).to_rgb()
        assert np.array_equal(pixels_of(file), frame), film.name
