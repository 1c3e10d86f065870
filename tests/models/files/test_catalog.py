from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.models.files import catalog


def test_a_damaged_model_is_reported(tmp_path: Path) -> None:
    (tmp_path / "cut.safetensors").write_bytes(b"\xff\xff\xff\xff\xff\xff\xff\x7f{}")
    with pytest.raises(ArtgenError, match="not a safetensors file"):
        catalog.find_compatible_model("cut.safetensors", tmp_path, ["unet"])


def test_an_unknown_model_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ArtgenError, match="did you mean 'abstract-8x'"):
        catalog.find_model_file("abstrct-8x", tmp_path)


def test_a_path_next_to_the_recipe_is_a_model(tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    file.write_bytes(b"")
    assert catalog.find_model_file("mine.safetensors", tmp_path) == file


def test_a_model_may_be_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.safetensors").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert catalog.find_model_file("~/mine.safetensors", Path("elsewhere")) == tmp_path / "mine.safetensors"
