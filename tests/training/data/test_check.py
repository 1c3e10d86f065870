"""What a folder holds, told as a training will see it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from artgen.errors import ArtgenError
from artgen.events import WorkProgress, ignore_event
from artgen.imaging.io.files import read_image
from artgen.training.data.check import check_folders
from artgen.training.data.decode_check import examine_image


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of everything."""
    place = tmp_path_factory.mktemp("check") / "set"
    (place / "deep").mkdir(parents=True)
    cat, cup, rocket = (Image.fromarray(getattr(data, name)()) for name in ("chelsea", "coffee", "rocket"))
    cat.save(place / "cat.png")
    cat.save(place / "deep" / "cat-again.jpg", quality=60)
    cat.resize((300, 200)).save(place / "deep" / "cat-small.webp")
    cup.convert("CMYK").save(place / "cup.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    rocket.save(place / "rocket.jpg", exif=exif)
    Image.fromarray(data.camera()).save(place / "camera.png")
    clear = Image.fromarray(data.astronaut()).convert("RGBA")
    clear.save(place / "opaque.png")
    clear.putpixel((3, 3), (0, 0, 0, 0))
    clear.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(place / "clear.png")
    deep = (np.arange(64 * 64).reshape(64, 64) * 16).astype(np.uint16)
    Image.fromarray(deep).save(place / "deep" / "sixteen.tif")
    (place / "half.jpg").write_bytes((place / "cup.jpg").read_bytes()[:9000])
    (place / "empty.gif").write_bytes(b"")
    (place / "drawing.psd").write_bytes(b"8BPS")
    (place / ".hidden").write_bytes(b"")
    return place


def names(files: list[str]) -> list[str]:
    return [Path(file).name for file in files]


def test_everything_is_found(folder: Path) -> None:
    progress: list[WorkProgress] = []
    findings = check_folders(
        [folder], lambda event: progress.append(event) if isinstance(event, WorkProgress) else None
    )
    assert (findings.images, findings.readable) == (11, 9)
    assert findings.formats == {"PNG": 4, "JPEG": 3, "WEBP": 1, "TIFF": 1}
    assert findings.sizes == [(64, 64), (600, 400), (427, 640)]
    assert {Path(file).name: reason.partition(" (")[0] for file, reason in findings.corrupt.items()} == {
        "empty.gif": "an empty file",
        "half.jpg": "damaged or truncated",
    }
    assert names(findings.tiny) == ["cat-small.webp", "sixteen.tif"]
    assert names(findings.grey) == ["camera.png", "sixteen.tif"]
    assert names(findings.transparent) == ["clear.png"]
    assert names(findings.cmyk) == ["cup.jpg"]
    assert names(findings.turned) == ["rocket.jpg"]
    assert [names(group) for group in findings.duplicates] == [["cat.png", "cat-again.jpg", "cat-small.webp"]]
    assert findings.others == {".psd": 1}
    assert progress[-1].fraction == 1.0
    assert check_folders([folder, folder / "deep"], ignore_event).images == 11


def test_upright(folder: Path) -> None:
    rocket = examine_image(folder / "rocket.jpg")
    assert (rocket.width, rocket.height) == read_image(folder / "rocket.jpg").shape[:0:-1] == (427, 640)


@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # Pillow's, of what is then refused
def test_corrupt_is_what_a_training_cannot_read(tmp_path: Path) -> None:
    picture = Image.fromarray(data.astronaut())
    for ending in ("jpg", "png", "webp", "tif", "gif", "bmp"):
        whole = tmp_path / f"whole.{ending}"
        picture.save(whole)
        whole_bytes = whole.read_bytes()
        hurt = tmp_path / f"hurt.{ending}"
        chance = np.random.default_rng(len(whole_bytes))
        for cut in (20, 300, len(whole_bytes) // 2, len(whole_bytes) - 40, len(whole_bytes) - 1):
            spoilt = bytearray(whole_bytes[:cut])
            spoilt[int(chance.integers(cut))] ^= 255
            for content in (whole_bytes[:cut], spoilt):
                hurt.write_bytes(content)
                assert readable(examine_image, hurt) == readable(read_image, hurt)


def readable(reader: object, file: Path) -> bool:
    try:
        reader(file)
    except ArtgenError:
        return False
    return True


def artgen(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "artgen", "data", "check", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)


def test_the_command(folder: Path) -> None:
    said = artgen(folder.parent, "set")
    assert (said.returncode, said.stderr) == (2, "")
    assert said.stdout.startswith("11 images, ")
    assert "\n64 x 64 to 427 x 640 px, median 600 x 400\n2 corrupt, left out by" in said.stdout
    assert "\n2 near-duplicates of 1 image; the largest group, 3: set/cat.png, set/deep/cat-" in said.stdout
    assert said.stdout.endswith("\nother files, not read: 1 .psd\n")
    said = artgen(folder.parent, "set/deep", "--json")
    assert said.returncode == 0
    assert json.loads(said.stdout)["formats"] == {"JPEG": 1, "WEBP": 1, "TIFF": 1}


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ArtgenError, match="no such folder"):
        check_folders([tmp_path / "nowhere"], ignore_event)
    with pytest.raises(ArtgenError, match="without images"):
        check_folders([tmp_path], ignore_event)
