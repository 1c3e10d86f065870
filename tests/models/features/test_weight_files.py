"""Where weights are stored, how they are found, and the advice when they are missing."""

import sys
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.models.features.weight_files import (
    KNOWN_WEIGHTS,
    WEIGHTS_FOLDER_VARIABLE,
    find_weights_file,
    list_installed_weights,
    weights_folder,
    weights_path,
)


def test_the_variable_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WEIGHTS_FOLDER_VARIABLE, str(tmp_path / "mine"))
    assert weights_folder() == tmp_path / "mine"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(WEIGHTS_FOLDER_VARIABLE, "~/models")
    assert weights_folder() == Path("~/models").expanduser()


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "home/.local/share/artgen/models"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/artgen/models"),
        ("linux", {"XDG_DATA_HOME": "relative"}, "home/.local/share/artgen/models"),
        ("darwin", {}, "home/Library/Application Support/artgen/models"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/artgen/models"),
        ("win32", {}, "home/AppData/Local/artgen/models"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="paths of other platforms")
def test_the_default_folder_is_the_platforms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, environment: dict[str, str], expected: str
) -> None:
    for name in (WEIGHTS_FOLDER_VARIABLE, "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert weights_folder(platform) == tmp_path / expected


def test_weights_by_name_and_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WEIGHTS_FOLDER_VARIABLE, str(tmp_path / "weights"))
    (tmp_path / "weights").mkdir()
    weights_path("vgg19").write_bytes(b"")
    assert find_weights_file("vgg19", Path("anywhere")) == tmp_path / "weights" / "vgg19.safetensors"
    assert [weights.name for weights in list_installed_weights()] == ["vgg19"]
    (tmp_path / "own.pth").write_bytes(b"")
    assert find_weights_file("own.pth", tmp_path) == tmp_path / "own.pth"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("vgg91", "no weights are called 'vgg91'; did you mean 'vgg19'?"),
        ("lpips", "one of vgg19, squeezenet"),
        ("own.pth", "no file"),
        ("squeezenet", "(try: artgen models import squeezenet FILE)"),
        ("vgg19", "`artgen models pull` fetches them once"),
        ("vgg19", "`artgen models import vgg19 FILE` where you have them"),
        ("vgg19", 'or method = "patch", which needs none (try: artgen models pull vgg19)'),
    ],
)
def test_missing_weights_are_reported_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, message: str
) -> None:
    monkeypatch.setenv(WEIGHTS_FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(ArtgenError) as raised:
        find_weights_file(reference, tmp_path)
    assert message in str(raised.value)


def test_every_published_file_has_a_hash_and_mirrors() -> None:
    vgg = KNOWN_WEIGHTS["vgg19"]
    assert len({url.split("/")[2] for source in vgg.published_files for url in source.urls}) >= 3
    for source in vgg.published_files:
        assert len(bytes.fromhex(source.sha256)) == 32
        assert all(url.startswith("https://") for url in source.urls)
    assert vgg.published_files[0].file_name == f"vgg19-{vgg.published_files[0].sha256[:8]}.pth"
