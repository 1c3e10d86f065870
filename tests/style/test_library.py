"""The included paintings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.imaging.io.files import read_image
from artgen.style.library import PAINTINGS_FOLDER, painting_credit, painting_names, resolve_style_path


def test_every_painting_is_readable_and_credited() -> None:
    assert len(painting_names()) >= 8
    for name in painting_names():
        credit = painting_credit(name)
        assert credit.artist
        assert credit.title
        assert credit.year
        assert credit.source.startswith("https://")
        assert "ublic domain" in credit.licence
        image = read_image(credit.file)
        assert max(image.shape) >= 800
        assert float(image.std()) > 0.05


def test_all_files_are_listed_and_small_together() -> None:
    files = {file.name for file in PAINTINGS_FOLDER.glob("*.jpg")}
    assert files == {painting_credit(name).file.name for name in painting_names()}
    assert sum((PAINTINGS_FOLDER / file).stat().st_size for file in files) <= 2_500_000


def test_resolve(tmp_path: Path) -> None:
    (tmp_path / "mine.jpg").touch()
    assert resolve_style_path("builtin:great-wave", tmp_path) == PAINTINGS_FOLDER / "great-wave.jpg"
    assert resolve_style_path("mine.jpg", tmp_path) == tmp_path / "mine.jpg"


@pytest.mark.parametrize(
    ("reference", "help_"),
    [
        ("builtin:great-wav", "did you mean builtin:great-wave"),
        ("builtin:Starry-Night", "did you mean builtin:starry-night"),
        ("builtin:qqqq", "one of builtin:great-wave"),
        ("great-wave", "did you mean builtin:great-wave"),
        ("nothing.jpg", "no file"),
    ],
)
def test_mistakes(reference: str, help_: str, tmp_path: Path) -> None:
    with pytest.raises(ArtgenError, match=help_):
        resolve_style_path(reference, tmp_path)


def test_library_is_light() -> None:
    code = (
        "import sys, artgen.style.library as l, artgen.style.patch.presets; l.painting_names();"
        "assert not {'torch', 'numpy', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
