"""The switch-over: whatever happens, the old site or the new one stands, and foreign files stay."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.gallery.publish import staging
from artgen.gallery.publish.manifest import MANIFEST_FILE
from artgen.gallery.publish.staging import staged_site

CONTENT, PAGE, LAST = (f"str(args[0]).endswith({name!r})" for name in ("b.jpg", "index.html", MANIFEST_FILE))
KILLED, BROKEN = "os.kill(os.getpid(), signal.SIGKILL)", "raise_(OSError(5, 'broken'))"


def build(target: Path, names: tuple[str, ...] = ("index.html", "images/a.jpg"), force: bool = False) -> None:
    with staged_site(target, force) as site:
        for name in names:
            (site / name).parent.mkdir(exist_ok=True)
            (site / name).write_text(f"new {name}")


def files(target: Path) -> set[str]:
    return {path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()} - {
        MANIFEST_FILE
    }


def test_stale_files_of_ours_go_and_foreign_files_stay(tmp_path: Path) -> None:
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
        with staged_site(target) as site:
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
        f"with folder.staged_site(pathlib.Path({str(target)!r})) as site:\n"
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
        f"with folder.staged_site(pathlib.Path({str(target)!r})) as site:\n"
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


def test_a_site_that_an_earlier_artgen_left_aside(tmp_path: Path) -> None:
    target = tmp_path / "gallery"
    build(target)
    (target / "CNAME").write_text("art.example")
    target.rename(tmp_path / ".gallery.artgen-before")
    build(target)
    assert (target / "CNAME").read_text() == "art.example"


@pytest.mark.parametrize("error", [BROKEN, "raise_(KeyboardInterrupt())"])
def test_stopped_before_the_first_file_has_its_place(tmp_path: Path, error: str) -> None:
    target = tmp_path / "gallery"
    build(target)
    (target / "CNAME").write_text("art.example")
    code, said = stopped(target, "str(args[0]).endswith('.artgen-new')", error)
    assert code != 0
    assert said.endswith("KeyboardInterrupt" if "Key" in error else "untouched")
    assert files(target) == {"index.html", "images/a.jpg", "CNAME"}
    assert (target / "index.html").read_text() == "new index.html"
    assert [path.name for path in tmp_path.iterdir()] == ["gallery"]


@pytest.mark.parametrize(
    ("step", "error"), [(CONTENT, KILLED), (PAGE, KILLED), (LAST, KILLED), (PAGE, BROKEN), (LAST, BROKEN)]
)
def test_a_switch_that_is_stopped_is_finished_by_the_next(tmp_path: Path, step: str, error: str) -> None:
    target = tmp_path / "gallery"
    build(target)
    (target / "images" / "mine.jpg").write_text("mine")
    code, said = stopped(target, step, error)
    assert code == -signal.SIGKILL if error == KILLED else said.endswith("the next publish finishes it")
    assert (target / "index.html").read_text() == ("half" if step == LAST else "new index.html")
    staging.finish_switch(target)
    assert files(target) == {"index.html", "images/b.jpg", "images/mine.jpg"}
    assert (target / "index.html").read_text() == "half"
    build(target)
    assert files(target) == {"index.html", "images/a.jpg", "images/mine.jpg"}
    assert [path.name for path in tmp_path.iterdir()] == ["gallery"]


def test_ctrl_c_while_switching_finishes_it_first(tmp_path: Path) -> None:
    target = tmp_path / "gallery"
    build(target)
    assert stopped(target, PAGE, "raise_(KeyboardInterrupt())")[1].endswith("KeyboardInterrupt")
    assert files(target) == {"index.html", "images/b.jpg"}
    assert (target / "index.html").read_text() == "half"
    assert [path.name for path in tmp_path.iterdir()] == ["gallery"]


def stopped(target: Path, when: str, error: str) -> tuple[int, str]:
    """Build; the first link or rename that ``when`` is true of fails. Exit code and last line said."""
    script = (
        "import os, pathlib, signal, sys, artgen.gallery.publish.staging as folder\n"
        "done = []\n"
        "def raise_(error): raise error\n"
        "def hook(event, args):\n"
        f"    if event in ('os.rename', 'os.link') and not done and {when}:\n"
        "        done.append(event)\n"
        f"        {error}\n"
        "sys.addaudithook(hook)\n"
        f"with folder.staged_site(pathlib.Path({str(target)!r})) as site:\n"
        "    (site / 'index.html').write_text('half')\n"
        "    (site / 'images').mkdir()\n"
        "    (site / 'images' / 'b.jpg').write_text('half')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return done.returncode, (done.stderr.strip().splitlines() or [""])[-1]


def test_what_comes_while_building_stays(tmp_path: Path) -> None:
    """A file, a folder, one among the site's own, and whoever stands in the folder still stands there."""
    target = tmp_path / "gallery"
    build(target)
    before = target.stat().st_ino, (target / "images").stat().st_ino
    with staged_site(target) as site:
        (site / "index.html").write_text("new")
        (target / "CNAME").write_text("art.example")
        (target / "images" / "mine.jpg").write_text("mine")
        (target / "notes" / "deep").mkdir(parents=True)
    assert files(target) == {"index.html", "CNAME", "images/mine.jpg"}
    assert (target / "notes" / "deep").is_dir()
    assert (target.stat().st_ino, (target / "images").stat().st_ino) == before


@pytest.mark.parametrize("force", [False, True])
def test_what_comes_while_building_where_the_site_needs_the_name(tmp_path: Path, force: bool) -> None:
    target = tmp_path / "gallery"
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.jpg").write_text("mine")
    build(target, ("index.html",))

    def come() -> None:
        with staged_site(target, force) as site:
            (site / "images").mkdir()
            (site / "images" / "a.jpg").write_text("new")
            (target / "images").symlink_to(tmp_path / "elsewhere")

    if force:
        come()
        assert (target / "images" / "a.jpg").read_text() == "new"
    else:
        with pytest.raises(ArtgenError, match="images: is yours, but the site needs that name"):
            come()
        assert files(target) == {"index.html"}
    assert (tmp_path / "elsewhere" / "a.jpg").read_text() == "mine"


def test_a_folder_where_the_site_needs_a_file(tmp_path: Path) -> None:
    target = tmp_path / "gallery"
    (target / "index.html").mkdir(parents=True)
    (target / "index.html" / "mine").write_text("mine")
    with pytest.raises(ArtgenError, match=r"index\.html: a folder, but the site needs that name"):
        build(target, force=True)
    assert files(target) == {"index.html/mine"}


OUTSIDE = (
    "../mine",
    "/etc/hostname",
    "link/mine",
    "own/../../mine",
    "",
    ".",
    "..",
    "a\0b",
    "own",
    ".git/HEAD",
)


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_manifest_that_names_what_is_not_the_sites(tmp_path: Path, name: str) -> None:
    target = tmp_path / "gallery"
    build(target)
    for mine in (
        tmp_path / "mine",
        tmp_path / "elsewhere" / "mine",
        target / "own" / "mine",
        target / ".git" / "HEAD",
    ):
        mine.parent.mkdir(exist_ok=True)
        mine.write_text("mine")
    (target / "link").symlink_to(tmp_path / "elsewhere")
    named = str(tmp_path / "mine") if name.startswith("/") else name
    (target / MANIFEST_FILE).write_text(json.dumps({"files": {"index.html": 1, "images/a.jpg": 1, named: 4}}))
    build(target, ("index.html",))
    assert files(target) == {"index.html", "own/mine", ".git/HEAD"}
    assert (target / "link").is_symlink()
    assert (tmp_path / "mine").exists()
    assert (tmp_path / "elsewhere" / "mine").exists()


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


def test_the_rights_of_folders_stay(tmp_path: Path) -> None:
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
    assert staging.MANIFEST_FILE not in os.listdir(tmp_path)


def test_an_empty_folder_and_a_linked_one_are_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    build(tmp_path / "link")
    assert files(tmp_path / "real") == {"index.html", "images/a.jpg"}
    assert (tmp_path / "link").is_symlink()
