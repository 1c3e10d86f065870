"""Where weights lie, how they are found, and what is offered where they are not."""

import sys
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.models.features.weight_files import KNOWN, PLACE, file_of, find_weights, here, place


def test_a_folder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLACE, str(tmp_path / "mine"))
    assert place() == tmp_path / "mine"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(PLACE, "~/models")
    assert place() == Path("~/models").expanduser()


@pytest.mark.parametrize(
    ("platform", "environment", "wanted"),
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
def test_the_platforms_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, environment: dict[str, str], wanted: str
) -> None:
    for name in (PLACE, "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert place() == tmp_path / wanted


def test_weights_by_name_and_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLACE, str(tmp_path / "weights"))
    (tmp_path / "weights").mkdir()
    file_of("vgg19").write_bytes(b"")
    assert find_weights("vgg19", Path("anywhere")) == tmp_path / "weights" / "vgg19.safetensors"
    assert [weights.name for weights in here()] == ["vgg19"]
    (tmp_path / "own.pth").write_bytes(b"")
    assert find_weights("own.pth", tmp_path) == tmp_path / "own.pth"


@pytest.mark.parametrize(
    ("reference", "says"),
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
def test_what_is_not_here_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, says: str
) -> None:
    monkeypatch.setenv(PLACE, str(tmp_path))
    with pytest.raises(ArtgenError) as raised:
        find_weights(reference, tmp_path)
    assert says in str(raised.value)


def test_every_source_is_pinned_and_has_more_than_one_home() -> None:
    vgg = KNOWN["vgg19"]
    assert len({url.split("/")[2] for source in vgg.sources for url in source.urls}) >= 3
    for source in vgg.sources:
        assert len(bytes.fromhex(source.sha256)) == 32
        assert all(url.startswith("https://") for url in source.urls)
    assert vgg.sources[0].file == f"vgg19-{vgg.sources[0].sha256[:8]}.pth"
