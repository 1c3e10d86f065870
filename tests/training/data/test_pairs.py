"""Two folders: every image is accounted for, and aligned copies are what a training takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artgen.errors import ArtgenError
from artgen.events import WorkProgress, ignore_event
from artgen.training.data.pairs import compare_folders, write_aligned_pairs
from artgen.training.material.material import load_dataset
from artgen.training.pairs import build_pair_maker
from artgen.training.recipes.pairs import FoldersTable


def save(file: Path, width: int = 48, height: int = 32, seed: int = 0) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 255, (4, 6, 3), np.uint8)
    Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(file)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Three pairs (one of two sizes, one in a folder), and one of each thing that goes wrong."""
    a, b = tmp_path / "sketches", tmp_path / "paintings"
    for folder, ending in ((a, "jpg"), (b, "PNG")):
        save(folder / f"kitchen.{ending}", seed=1)
        save(folder / "town" / f"market.1.{ending}", seed=2)
        save(folder / f"bent.{ending}", seed=3)
        save(folder / f"twice.{ending}", seed=4)
        save(folder / f"hurt.{ending}", seed=5)
    save(a / "large.png", 96, 64, seed=6)
    save(b / "large.webp", 48, 32, seed=6)
    save(a / "twice.png")
    save(b / "bent.PNG", 32, 32)
    save(a / "alone.png")
    save(b / "town" / "kitchen.png")
    (b / "hurt.PNG").write_bytes((b / "hurt.PNG").read_bytes()[:120])
    return a, b


def test_every_image_is_told_of_once(folders: tuple[Path, Path]) -> None:
    told: list[object] = []
    found = compare_folders(*folders, told.append)
    a, b = folders
    assert [(pair.name, pair.same) for pair in found.pairs] == [
        ("kitchen", True),
        ("large", False),
        ("town-market.1", True),
    ]
    assert (found.only_a, found.only_b) == (["alone.png"], ["town/kitchen.png"])
    assert found.repeated == [f"{a}/twice.jpg, {a}/twice.png, {b}/twice.PNG"]
    assert found.bent == [f"{a}/bent.jpg 48 x 32 px, {b}/bent.PNG 32 x 32 px"]
    assert len(found.unreadable) == 1
    assert found.unreadable[0].startswith(f"{b}/hurt.PNG: damaged or truncated")
    assert found.mismatches == 5
    assert told[-1] == WorkProgress(1.0, "10 of 10 images compared")


def test_upright_sizes_are_compared(tmp_path: Path) -> None:
    save(tmp_path / "a" / "one.jpg", 48, 32)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.open(tmp_path / "a" / "one.jpg").transpose(Image.Transpose.ROTATE_90)
    (tmp_path / "b").mkdir()
    turned.save(tmp_path / "b" / "one.jpg", exif=exif, quality=95)
    found = compare_folders(tmp_path / "a", tmp_path / "b", ignore_event)
    assert found.pairs[0].same
    write_aligned_pairs(found.pairs, tmp_path / "out", ignore_event)
    assert (tmp_path / "out" / "b" / "one.jpg").read_bytes() == (tmp_path / "b" / "one.jpg").read_bytes()


def test_aligned_copies_are_what_a_training_takes(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert write_aligned_pairs(compare_folders(*folders, ignore_event).pairs, out, ignore_event) == 3
    names = {side: sorted(file.name for file in (out / side).iterdir()) for side in "ab"}
    assert names["a"] == ["kitchen.jpg", "large.png", "town-market.1.jpg"]
    assert names["b"] == ["kitchen.png", "large.png", "town-market.1.png"]
    assert (out / "a" / "kitchen.jpg").read_bytes() == (folders[0] / "kitchen.jpg").read_bytes()
    large = [np.asarray(Image.open(out / side / "large.png"), float) for side in "ab"]
    assert large[0].shape == large[1].shape == (32, 48, 3)
    assert np.abs(large[0] - large[1]).mean() < 12
    files, inputs = (sorted((out / side).iterdir()) for side in "ba")
    material = load_dataset(files, inputs, tmp_path / "cache", max_side=64)
    given, target = build_pair_maker(FoldersTable(), material).draw_pair(16, np.random.default_rng(0))
    assert given.shape == target.shape == (3, 16, 16)


def test_it_goes_on_and_takes_what_changed(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    pairs = compare_folders(*folders, ignore_event).pairs

    def interrupting(event: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_aligned_pairs(pairs, out, interrupting)
    (out / "a" / ".artgen-tmp-999999999-killed").write_bytes(b"half")
    assert write_aligned_pairs(pairs, out, ignore_event) == 2
    assert write_aligned_pairs(pairs, out, ignore_event) == 0
    save(folders[0] / "large.png", 30, 20, seed=7)
    assert write_aligned_pairs(compare_folders(*folders, ignore_event).pairs, out, ignore_event) == 1
    assert Image.open(out / "b" / "large.png").copy().size == (30, 20)
    assert not list(out.rglob(".*"))
    (out / "b" / "other.png").write_bytes(b"")
    with pytest.raises(ArtgenError, match=r"holds 1 other image, such as b/other.png; another folder"):
        write_aligned_pairs(pairs, out, ignore_event)


def artgen(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "artgen", "data", "pairs", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_the_command(folders: tuple[Path, Path], tmp_path: Path) -> None:
    said = artgen(tmp_path, "sketches", "paintings", "-o", "out")
    assert said.returncode == 2
    assert said.stderr == "5 to correct; nothing written (--matched leaves them out)\n"
    assert said.stdout.startswith("3 pairs, 1 of them of two sizes\n1 only in sketches:\n  alone.png\n")
    assert not (tmp_path / "out").exists()
    said = artgen(tmp_path, "sketches", "paintings", "-o", "out", "--matched", "--json")
    assert (said.returncode, said.stderr) == (0, "")
    report = json.loads(said.stdout)
    assert (report["written"], report["mismatches"], len(report["pairs"])) == (3, 5, 3)
    assert len(list((tmp_path / "out").rglob("*.*"))) == 6
    said = artgen(tmp_path, "sketches", "paintings", "-o", "paintings/out")
    assert (said.returncode, said.stderr) == (
        2,
        "--output paintings/out: is inside a folder that is compared; another folder\n",
    )
