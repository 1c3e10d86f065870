"""Which images a reference names: kinds, order, links, and how long a search may take."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.references import IMAGE_SUFFIXES, MAX_SEARCHED_ENTRIES, find_images

NAMES = [
    *("frame1.png", "frame10.png", "frame2.png", ".hidden.png", "notes.txt"),
    *("a/deep/c.jfif", "a/.secret/x.png", "a/y.AVIF", "runs/made.png"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def _names(reference: str, folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in find_images(reference, folder)]


@pytest.mark.parametrize(
    ("reference", "names"),
    [
        (".", ["a/deep/c.jfif", "a/y.AVIF", "frame1.png", "frame2.png", "frame10.png"]),
        ("*.png", ["frame1.png", "frame2.png", "frame10.png"]),
        ("?rame[12].png", ["frame1.png", "frame2.png"]),
        ("**/*.png", ["frame1.png", "frame2.png", "frame10.png", "runs/made.png"]),
        ("a/**", ["a/deep/c.jfif", "a/y.AVIF"]),
        ("a/*/*.jfif", ["a/deep/c.jfif"]),
        ("**/c.*", ["a/deep/c.jfif"]),
        ("a/.secret/*", ["a/.secret/x.png"]),
        ("runs", ["runs/made.png"]),
        ("a/y.AVIF", ["a/y.AVIF"]),
    ],
)
def test_images_in_their_natural_order(folder: Path, reference: str, names: list[str]) -> None:
    assert _names(reference, folder) == names


@pytest.mark.parametrize("suffix", IMAGE_SUFFIXES)
def test_every_kind_of_image_in_a_folder(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"sea{suffix.upper()}").write_bytes(b"x")
    assert _names(".", tmp_path) == [f"sea{suffix.upper()}"]


def test_linked_folders_are_searched_once(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "far.png").write_bytes(b"x")
    os.symlink(elsewhere, folder / "far")
    os.symlink(folder, folder / "a" / "loop")
    os.symlink(folder / "a", folder / "again")
    assert _names(".", folder) == [
        *("a/deep/c.jfif", "a/y.AVIF", "far/far.png"),
        *("frame1.png", "frame2.png", "frame10.png"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("reference", ["many", "many/**", "many/**/*.png", "many/*/*/*/*/*.png"])
def test_a_search_without_end_is_refused(tmp_path: Path, reference: str) -> None:
    for number in range(60):
        (tmp_path / "many" / str(number)).mkdir(parents=True)
        for name in range(MAX_SEARCHED_ENTRIES // 59):
            (tmp_path / "many" / str(number) / str(name)).touch()
    start_time = time.process_time()
    with pytest.raises(ArtgenError, match="more than 200,000 files to search") as raised:
        find_images(reference, tmp_path)
    assert raised.value.where == reference
    assert time.process_time() - start_time < 20
