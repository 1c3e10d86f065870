"""Lookup of runs by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.runs.lookup import find_run_folder, list_run_folders


@pytest.fixture
def root(tmp_path: Path) -> Path:
    names = ("abstracts-11111111", "abstracts-22222222", "abstracts-22222222-preview", "abbey-33333333")
    for age, name in enumerate(reversed(names)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "recipe.toml").touch()
        (folder / "run.lock").touch()
        os.utime(folder / "run.lock", (1000 + age, 1000 + age))
    (tmp_path / ".stages").mkdir()
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_the_last_run_comes_first(root: Path) -> None:
    assert [run.name for run in list_run_folders(root)] == [
        "abstracts-11111111",
        "abstracts-22222222",
        "abstracts-22222222-preview",
        "abbey-33333333",
    ]
    assert list_run_folders(root / "absent") == []


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        (None, "abstracts-11111111"),
        ("abstracts-22222222", "abstracts-22222222"),
        ("abstracts", "abstracts-11111111"),
        ("recipes/abstracts.toml", "abstracts-11111111"),
        ("abstracts-2", "abstracts-22222222"),
        ("abb", "abbey-33333333"),
    ],
)
def test_a_name_or_its_beginning(root: Path, reference: str | None, name: str) -> None:
    assert find_run_folder(reference, root).name == name


def test_a_folder(root: Path) -> None:
    assert find_run_folder(str(root / "abbey-33333333"), Path("elsewhere")) == root / "abbey-33333333"


@pytest.mark.parametrize(
    ("reference", "message"), [("ab", "4 runs begin like that"), ("zebra", "there are: abstracts-11111111")]
)
def test_what_is_not_clear_is_said(root: Path, reference: str, message: str) -> None:
    with pytest.raises(ArtgenError, match=message):
        find_run_folder(reference, root)


def test_no_runs_at_all(tmp_path: Path) -> None:
    with pytest.raises(ArtgenError, match="no runs here"):
        find_run_folder(None, tmp_path)
