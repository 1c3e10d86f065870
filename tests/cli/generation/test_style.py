"""``artgen style`` as a person uses it, on real files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from artgen.imaging.io.png_text import read_text
from tests.training.data.films import shot, write_film

# Several commands in one process, so that torch is imported once: how each ends, and what it says.
MANY = """
import contextlib, io, json, shlex, sys
from artgen.cli import app, messages
for line in sys.stdin.read().splitlines():
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            messages.run_command(lambda: app(shlex.split(line), prog_name="artgen", standalone_mode=False))
        except SystemExit as end:
            code = end.code
    print(json.dumps([code, out.getvalue(), err.getvalue()]))
"""
Ended = tuple[int, str, str]


def artgen(folder: Path, *lines: str) -> list[Ended]:
    """The exit code, output and messages of each command."""
    done = subprocess.run(
        [sys.executable, "-c", MANY],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of small contents of every kind, and of paintings."""
    chance = np.random.default_rng(0)
    grey = np.linspace(0, 255, 40 * 30).reshape(30, 40).astype(np.uint8)
    colour = np.stack([grey, grey[::-1], np.full_like(grey, 90)], -1)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(colour).save(tmp_path / "colour.jpg")
    Image.fromarray(np.dstack([colour, grey])).save(tmp_path / "clear.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    Image.fromarray(colour[:, :1]).save(tmp_path / "narrow.png")
    turned = Image.fromarray(colour)
    turned.getexif()[274] = 6
    turned.save(tmp_path / "turned.jpg", exif=turned.getexif())
    (tmp_path / "works").mkdir()
    for name in ("one", "two"):
        painting = chance.integers(0, 255, (16, 16, 3), np.uint8).repeat(3, 0).repeat(3, 1)
        Image.fromarray(painting).save(tmp_path / "works" / f"{name}.png")
    return tmp_path


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "cat.mp4", shot("chelsea", 3, height=30, width=42))


@pytest.mark.slow
def test_every_kind_of_picture_is_painted_upright_at_its_size(pictures: Path) -> None:
    (pictures / "old.png").write_bytes(b"old")
    ended = artgen(
        pictures,
        "style grey.png works/one.png",
        "style clear.png works/one.png works/two.png --weights 2,1 -o clear.webp",
        "style deep.png works/one.png --strength 0.5 -o deep.tif",
        "style narrow.png works/one.png --set strength=0.5 -o out.jpg",
        "style turned.jpg works/one.png --scale 1 -o upright.png",
        "style colour.jpg works/one.png --preview --json -o small.png",
        "style colour.jpg works --side 24 -o old.png --force",
        "style colour.jpg works/two.png --side 24 --seed 3 -o made.png",
        "reproduce made.png",
    )
    assert [code for code, _, _ in ended] == [0] * len(ended), ended
    sizes = {"grey-one.png": (40, 30), "clear.webp": (40, 30), "deep.tif": (40, 30), "out.jpg": (1, 30)}
    sizes |= {"upright.png": (30, 40), "small.png": (20, 15), "old.png": (24, 18)}
    for name, size in sizes.items():
        assert Image.open(pictures / name).copy().size == size, name
    assert ended[0][1].startswith("grey-one.png: 40 x 30 px")
    report = json.loads(ended[5][1])
    assert (report["width"], report["height"], report["output"]) == (20, 15, "small.png")
    assert not list(pictures.glob("*.live.*"))
    carried = json.loads(read_text(pictures / "made.png")["artgen"])
    assert carried["seed"] == 3
    assert {"colour.jpg", "works/two.png"} == {used["name"] for used in carried["files"]}
    assert "identical" in ended[-1][1]


WRONG = {
    "nothing.png great-wave": "nothing.png: no such file",
    "works great-wave": "works: a folder",
    "grey.png": "STYLE: no painting is named",
    "grey.png great-wav": "did you mean builtin:great-wave?",
    "grey.png missing.jpg": "missing.jpg",
    "grey.png great-wave --preset bolt": "--preset bolt: \"bolt\"; did you mean 'bold'?",
    "grey.png great-wave --strength 9": "--strength 9.0: 9.0; must be a number from 0 to 4",
    "grey.png great-wave --set strenth=1": "--set strenth=1: unknown key; did you mean 'strength'?",
    "grey.png great-wave --set strength": "--set strength: not of the form FIELD=VALUE",
    "grey.png great-wave --preset bolt --strength 9 --set no=1": "3 problems",
    "grey.png great-wave --weights 1,x": "--weights 1,x: not numbers",
    "grey.png great-wave -o clear.png": "clear.png: exists already; name another with -o, or add --force",
    "grey.png great-wave -o grey.png --force": "grey.png: CONTENT itself",
    "grey.png great-wave -o nowhere/x.png": "no folder nowhere",
    "grey.png great-wave -o x.bmp": "a picture that ends in .bmp",
    "grey.png great-wave -o x.mp4": "a picture that ends in .mp4",
    "grey.png great-wave --device abacus": "--device",
    "cat.mp4 great-wave -o x.png": "a film that ends in .png",
    "cat.mp4 great-wave --preset bolt": "did you mean 'bold'?",
    "torn.mp4 great-wave": "torn.mp4: not a film that can be read",
}


def test_what_is_wrong_is_said_and_nothing_is_written(pictures: Path, film: Path) -> None:
    (pictures / "torn.mp4").write_bytes(film.read_bytes()[:200])
    before = {file: file.stat().st_mtime_ns for file in pictures.rglob("*")}
    ended = artgen(pictures, *(f"style {arguments}" for arguments in WRONG))
    for (arguments, message), (code, _, said) in zip(WRONG.items(), ended, strict=True):
        assert (code, message in said) == (2, True), (arguments, said)
    assert {file: file.stat().st_mtime_ns for file in pictures.rglob("*")} == before


@pytest.mark.slow
def test_a_film_keeps_its_times_and_its_size(pictures: Path, film: Path) -> None:
    [(code, out, said)] = artgen(pictures, f"style {film.name} works/one.png --strength 0.5 --json")
    assert code == 0, said
    report = json.loads(out)
    assert (report["frames"], report["width"], report["height"], report["sound"]) == (3, 42, 30, 0)
    with av.open(str(pictures / "cat-one.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([0, 0.04, 0.08])
    assert not list(pictures.glob(".*"))
