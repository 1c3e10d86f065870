import os
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from artgen.errors import ArtgenError
from artgen.imaging.io.files import read_image, write_png
from artgen.references import BUILTIN_TEXTURES, PORTRAITS_FOLDER, find_images
from artgen.steps import StepContext
from artgen.steps.crops import CropsSource
from artgen.steps.photos import PhotosSource
from artgen.style.library import read_portraits_credit


def context(candidate: int = 1, folder: Path = Path(), seed: int = 2017) -> StepContext:
    return StepContext(seed, candidate, "source", folder, "cpu", False, lambda fraction: None)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for name, width, height in (("b", 40, 20), ("a", 300, 100), ("c", 1, 1)):
        folder.mkdir(exist_ok=True)
        noise = torch.rand(3, height, width, generator=torch.Generator().manual_seed(width))
        write_png(folder / f"{name}.png", noise, {})
    (folder / "notes.txt").write_text("x")
    return tmp_path


def test_how_images_are_named(photos: Path) -> None:
    def names(reference: str) -> list[str]:
        return [path.name for path in find_images(reference, photos)]

    assert names("photos") == ["a.png", "b.png", "c.png"]
    assert names("photos/b.png") == ["b.png"]
    assert names("photos/[ab].*") == ["a.png", "b.png"]
    assert names("**/*.png") == ["a.png", "b.png", "c.png"]
    assert names(str(photos / "photos")) == ["a.png", "b.png", "c.png"]
    assert len(names(BUILTIN_TEXTURES)) >= 8


def test_the_portraits_that_ship(tmp_path: Path) -> None:
    every = find_images("builtin:portraits", tmp_path)
    raven, amber = (find_images(f"builtin:portraits/{name}", tmp_path) for name in ("raven", "amber"))
    assert (len(raven), len(amber)) == (12, 12)
    assert sorted(raven + amber) == every == find_images("builtin:portraits/", tmp_path)
    for file in every:
        assert read_image(file).shape == (3, 238, 238)
        assert file.stat().st_size <= 25_000
    credits = tomllib.loads((PORTRAITS_FOLDER / "credits.toml").read_text("utf-8"))
    credit = read_portraits_credit()
    assert f"{credit.artist}, {credit.licence}" == "artflow.ai, CC BY 4.0, cropped"
    assert [PORTRAITS_FOLDER / portrait["file"] for portrait in credits["portraits"]] == raven + amber


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("nowhere", "no such file or folder"),
        ("*.jpg", "no image matches"),
        ("empty", "a folder without images"),
        ("builtin:texture", "did you mean 'builtin:textures'?"),
        ("builtin:great-wave", "the built-in images are 'builtin:textures', 'builtin:photographs', "),
        ("builtin:portrait/raven", "did you mean 'builtin:portraits/raven'?"),
        ("\0", "\\u0000: "),
        ("x" * 300, "cannot be read as a path"),
        ("~nosuchuser/x", "cannot be read as a path"),
    ],
)
def test_images_that_are_not_there(tmp_path: Path, reference: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtgenError) as caught:
        CropsSource(images=[reference]).list_files(tmp_path)
    assert message in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' names are always text")
def test_an_image_whose_name_is_not_utf8_is_refused(photos: Path) -> None:
    (photos / "photos" / "b.png").rename(photos / "photos" / os.fsdecode(b"caf\xe9.png"))
    for reference in ("photos", "photos/*.png"):
        with pytest.raises(ArtgenError, match=r"caf\\xe9\.png is not UTF-8; rename it"):
            find_images(reference, photos)


def test_photos_take_turns(photos: Path) -> None:
    source = PhotosSource(images=["photos"], per_photo=2)
    turns = [source.describe(context(candidate, photos)) for candidate in range(1, 9)]
    assert turns == ["a", "a", "b", "b", "c", "c", "a", "a"]
    assert source.create(context(3, photos)).shape == (3, 20, 40)
    assert PhotosSource(images=["photos"], side=150).create(context(1, photos)).shape == (3, 50, 150)
    assert PhotosSource(images=["photos"], side=150).create(context(3, photos)).shape == (3, 1, 1)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"size": 8, "pieces": 1},
        {"size": 61, "pieces": 6, "shapes": 8.0},
        {"palette": "images", "flips": False},
        {"palette": "own", "contrast": 0.0, "mix": 1.0},
        {"images": ["photos", BUILTIN_TEXTURES]},
    ],
    ids=str,
)
def test_thumbnails(photos: Path, fields: dict[str, Any]) -> None:
    source = CropsSource(**fields)
    image = source.create(context(7, photos))
    assert image.shape == (3, source.size, source.size)
    assert image.dtype == torch.float32
    assert image.min() >= 0
    assert image.max() <= 1
    assert torch.equal(image, source.create(context(7, photos)))
    assert not torch.equal(image, source.create(context(8, photos)))
    assert not torch.equal(image, source.create(replace(context(7, photos), seed=1)))


def test_thumbnails_are_bold_and_differ() -> None:
    images = [CropsSource().create(context(candidate)) for candidate in range(1, 13)]
    assert all(float(image.std()) > 0.15 for image in images)
    smallest = min(float((a - b).abs().mean()) for a in images for b in images if a is not b)
    assert smallest > 0.08


def test_colours_do_not_depend_on_the_number_of_pieces() -> None:
    one, four = (CropsSource(pieces=count, recolour=1.0).create(context(3)).mean((1, 2)) for count in (1, 4))
    assert float((one - four).abs().max()) < 0.25
