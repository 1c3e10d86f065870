"""``artgen data faces``: who is taken, who is not and why, and nothing done twice."""

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

from artgen.events import Note, ignore_event
from artgen.training.data.faces import FaceOptions, FaceOutcome, extract_faces

PORTRAIT = Image.fromarray(data.astronaut()[:300, 60:390])


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "summer").mkdir()
    PORTRAIT.save(folder / "one.png")
    turned = PORTRAIT.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(folder / "summer" / "one.jpg", exif=exif, quality=95)
    pair = Image.new("RGB", (660, 300))
    pair.paste(PORTRAIT, (0, 0))
    pair.paste(PORTRAIT, (330, 0))
    pair.save(folder / "two.png")
    Image.fromarray(data.rocket()).save(folder / "rocket.jpg")
    PORTRAIT.resize((110, 100)).save(folder / "small.png")
    PORTRAIT.crop((130, 40, 300, 300)).save(folder / "cut.png")
    (folder / "broken.jpg").write_bytes((folder / "rocket.jpg").read_bytes()[:2000])
    return folder


def test_what_is_taken_and_why_not(photographs: Path, tmp_path: Path) -> None:
    outcomes = {o.file: o for o in extract_faces(photographs, tmp_path, FaceOptions(size=192), ignore_event)}
    assert outcomes["one.png"] == FaceOutcome("one.png", ("one.jpg",), "")
    assert outcomes["summer/one.jpg"] == FaceOutcome("summer/one.jpg", ("summer-one.jpg",), "")
    assert outcomes["two.png"] == FaceOutcome("two.png", (), "2 faces: --all takes each")
    assert outcomes["rocket.jpg"].skipped == "no face found"
    assert outcomes["small.png"].skipped.startswith("too small: ")
    assert outcomes["cut.png"].skipped.startswith("cut off: ")
    assert outcomes["broken.jpg"].skipped.startswith("cannot be read: damaged or truncated")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["faces.json", "one.jpg", "summer-one.jpg"]
    one, upright = (np.asarray(Image.open(tmp_path / name), float) for name in ("one.jpg", "summer-one.jpg"))
    assert one.shape == upright.shape == (192, 192, 3)
    lying = np.rot90(one)
    assert (
        2 * np.abs(one - upright).mean() < np.abs(lying - upright).mean()
    )  # the EXIF orientation was heeded


@pytest.mark.slow
def test_all_takes_every_face(photographs: Path, tmp_path: Path) -> None:
    outcomes = {
        o.file: o
        for o in extract_faces(
            photographs, tmp_path, FaceOptions(size=96, every=True, ending=".png"), ignore_event
        )
    }
    assert outcomes["two.png"].faces == ("two-1.png", "two-2.png")
    both = [np.asarray(Image.open(tmp_path / name), float) for name in outcomes["two.png"].faces]
    assert np.abs(both[0] - both[1]).mean() < 12


@pytest.mark.slow
def test_nothing_is_done_twice(photographs: Path, tmp_path: Path) -> None:
    out, options = tmp_path / "out", FaceOptions(size=96)
    first = extract_faces(photographs, out, options, ignore_event)
    times = {file.name: file.stat().st_mtime_ns for file in out.glob("*.jpg")}
    events: list[object] = []
    assert extract_faces(photographs, out, options, events.append) == first
    assert events[0] == Note("7 of 7 pictures were done before")
    assert {file.name: file.stat().st_mtime_ns for file in out.glob("*.jpg")} == times
    (out / "one.jpg").unlink()
    assert extract_faces(photographs, out, options, ignore_event) == first
    assert (out / "one.jpg").is_file()
    other = extract_faces(photographs, out, FaceOptions(size=64), ignore_event)
    assert Image.open(out / "one.jpg").copy().size == (64, 64)
    assert len(other) == 7


@pytest.mark.slow
def test_the_command(photographs: Path, tmp_path: Path) -> None:
    def artgen(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "artgen", "data", "faces", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            text=True,
            timeout=120,
        )

    done = artgen(str(photographs), "-o", "out", "--size", "96")
    assert done.returncode == 0
    assert "skipped rocket.jpg: no face found" in done.stdout
    assert "skipped two.png: 2 faces: --all takes each" in done.stdout
    assert done.stdout.endswith("3 faces of 7 pictures in out; 4 pictures skipped\n")
    report = json.loads(artgen(str(photographs), "-o", "out", "--size", "96", "--json").stdout)
    assert (report["pictures"], report["faces"]) == (7, 3)
    (tmp_path / "none").mkdir()
    Image.fromarray(data.rocket()).save(tmp_path / "none" / "rocket.png")
    assert artgen("none", "-o", "nothing").returncode == 2
    done = artgen("nowhere", "-o", "out")
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr
