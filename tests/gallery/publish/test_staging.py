"""The switch-over: whatever happens, the old site or the new one stands, and foreign files stay."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.gallery.publish import staging
from artgen.gallery.publish.staging import MANIFEST, building


def build(target: Path, names: tuple[str, ...] = ("index.html", "images/a.jpg"), force: bool = False) -> None:
    with building(target, force) as site:
        for name in names:
            (site / name).parent.mkdir(exist_ok=True)
            (site / name).write_text(f"new {name}")


def files(target: Path) -> set[str]:
    return {path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()} - {
        MANIFEST
    }


@pytest.mark.parametrize("in_one_step", [True, False])
def test_stale_files_of_ours_go_and_foreign_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_one_step: bool
) -> None:
    if not in_one_step:
        monkeypatch.setattr(sys, "platform", "elsewhere")
    target = tmp_path / "gallery"
    build(target)
    (target / "CNAME").write_text("art.example")
    (target / "own" / "deep").mkdir(parents=True)
    (target / "own" / "page.html").write_text("mine")
    (target / "images" / "mine.jpg").write_text("mine")
    (target / "link").symlink_to("CNAME")
    build(target, ("index.html", "images/b.jpg"))
    assert files(target) == {
        *("index.html", "images/b.jpg", "CNAME", "own/page.html", "images/mine.jpg", "link")
    }
    assert (target / "own" / "deep").is_dir()
    assert os.readlink(target / "link") == "CNAME"
    assert [path.name for path in tmp_path.iterdir()] == ["gallery"]


def test_a_failure_leaves_the_old_site(tmp_path: Path) -> None:
    target = tmp_path / "gallery"
    build(target)

    def fail() -> None:
        with building(target) as site:
            (site / "index.html").write_text("half")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail()
    assert (target / "index.html").read_text() == "new index.html"
    assert [path.name for path in tmp_path.iterdir()] == ["gallery"]


def test_killed_while_building(tmp_path: Path) -> None:
    target = tmp_path / "gallery"
    build(target)
    script = (
        "import os, signal, pathlib, artgen.gallery.publish.staging as folder\n"
        f"with folder.building(pathlib.Path({str(target)!r})) as site:\n"
        "    (site / 'index.html').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == -signal.SIGKILL
    assert files(target) == {"index.html", "images/a.jpg"}
    assert (target / "index.html").read_text() == "new index.html"
    build(target)
    assert [path.name for path in tmp_path.iterdir()] == ["gallery"]


def test_two_at_once(tmp_path: Path) -> None:
    target = tmp_path / "gallery"
    build(target)
    script = (
        "import pathlib, sys, artgen.gallery.publish.staging as folder\n"
        f"with folder.building(pathlib.Path({str(target)!r})) as site:\n"
        "    (site / 'index.html').write_text('other')\n"
        "    print('at work', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "at work\n"
        with pytest.raises(ArtgenError, match="another artgen is publishing there"):
            build(target, ("index.html",))
        other.communicate()
    assert other.returncode == 0
    assert (target / "index.html").read_text() == "other"
    build(target)


def test_killed_between_the_two_renames_of_other_systems(tmp_path: Path) -> None:
    target = tmp_path / "gallery"
    build(target)
    (target / "CNAME").write_text("art.example")
    target.rename(tmp_path / ".gallery.artgen-before")
    build(target)
    assert (target / "CNAME").read_text() == "art.example"


@pytest.mark.parametrize("error", ["OSError(5, 'broken')", "KeyboardInterrupt()"])
def test_stopped_between_the_two_renames_of_other_systems(tmp_path: Path, error: str) -> None:
    target = tmp_path / "gallery"
    build(target)
    (target / "CNAME").write_text("art.example")
    assert stopped(target, ("new",), error).endswith("KeyboardInterrupt" if "()" in error else "untouched")
    assert files(target) == {"index.html", "images/a.jpg", "CNAME"}
    assert (target / "index.html").read_text() == "new index.html"
    assert [path.name for path in tmp_path.iterdir()] == ["gallery"]


def test_a_site_that_cannot_be_put_back_at_once_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "gallery"
    build(target)
    (target / "CNAME").write_text("art.example")
    said = stopped(target, ("new", "before"), "OSError(5, 'broken')")
    assert f"is in {tmp_path / '.gallery.artgen-before'}" in said
    assert not target.exists()
    build(target)
    assert (target / "CNAME").read_text() == "art.example"
    assert [path.name for path in tmp_path.iterdir()] == ["gallery"]


def stopped(target: Path, renames: tuple[str, ...], error: str) -> str:
    """Build without the one-step exchange; renaming these hidden folders fails. The last line said."""
    ends = tuple(f".artgen-{name}" for name in renames)
    script = (
        "import pathlib, sys, artgen.gallery.publish.staging as folder\n"
        "def hook(event, args):\n"
        f"    if event == 'os.rename' and str(args[0]).endswith({ends}):\n"
        f"        raise {error}\n"
        "sys.platform = 'elsewhere'\n"
        "sys.addaudithook(hook)\n"
        f"with folder.building(pathlib.Path({str(target)!r})) as site:\n"
        "    (site / 'index.html').write_text('half')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode != 0
    return done.stderr.strip().splitlines()[-1]


def test_a_folder_of_somebody_else_is_refused_then_forced(tmp_path: Path) -> None:
    target = tmp_path / "site"
    target.mkdir()
    (target / "index.html").write_text("mine")
    (target / "notes.txt").write_text("mine")
    with pytest.raises(ArtgenError, match=r"was not made by artgen publish.*--force keeps"):
        build(target)
    assert (target / "index.html").read_text() == "mine"
    build(target, force=True)
    assert (target / "index.html").read_text() == "new index.html"
    assert (target / "notes.txt").read_text() == "mine"
    build(target)


def test_a_file_of_yours_where_the_site_needs_the_name(tmp_path: Path) -> None:
    target = tmp_path / "site"
    build(target)
    (target / "about.html").write_text("mine")
    with pytest.raises(ArtgenError, match=r"about\.html: is yours"):
        build(target, ("index.html", "about.html"))
    assert (target / "about.html").read_text() == "mine"


@pytest.mark.parametrize("in_one_step", [True, False])
def test_the_rights_of_folders_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_one_step: bool
) -> None:
    if not in_one_step:
        monkeypatch.setattr(sys, "platform", "elsewhere")
    target = tmp_path / "gallery"
    build(target)
    for name, mode in (("drafts/old", 0o700), ("drafts", 0o750), ("shared", 0o2770), ("images", 0o711)):
        (target / name).mkdir(parents=True, exist_ok=True)
        (target / name).chmod(mode)
    (target / "drafts" / "page.html").write_text("mine")
    target.chmod(0o705)
    build(target)
    found = {
        path.name: path.stat().st_mode & 0o7777 for path in (target, *target.rglob("*")) if path.is_dir()
    }
    assert found == {"gallery": 0o705, "drafts": 0o750, "old": 0o700, "shared": 0o2770, "images": 0o711}


def test_places_that_cannot_be_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtgenError, match="a file; name a folder"):
        build(tmp_path / "file")
    with pytest.raises(ArtgenError, match="could not be written"):
        build(tmp_path / "file" / "below")
    for mounted in [place for place in ("/", "/dev/shm", "/proc") if os.path.ismount(place)]:
        with pytest.raises(ArtgenError, match=r"where a disk is mounted; .* name one inside it"):
            build(Path(mounted))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtgenError, match="the folder you are in"):
        build(Path())
    assert staging.MANIFEST not in os.listdir(tmp_path)


def test_an_empty_folder_and_a_linked_one_are_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    build(tmp_path / "link")
    assert files(tmp_path / "real") == {"index.html", "images/a.jpg"}
    assert (tmp_path / "link").is_symlink()
