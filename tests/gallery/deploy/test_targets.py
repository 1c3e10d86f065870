"""A real site, sent to a bare repository and by rsync: what arrives, and what moves the second time."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.gallery.deploy.targets import check_target, send_site
from artgen.gallery.publish.builder import PublishRequest, publish_site
from artgen.gallery.publish.manifest import MANIFEST_FILE
from artgen.gallery.works.settings import SiteSettings
from artgen.runs.store import Run

SHAPES = ((600, 400),) * 3


def git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True).stdout


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``origin`` of the folder that the test is in."""
    if shutil.which("rsync") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("rsync is not installed")
    for name, value in (("NAME", "An Artist"), ("EMAIL", "artist@example.org")):
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    git(tmp_path, "init", "-q", "--bare", "there.git")
    git(tmp_path, "init", "-q")
    git(tmp_path, "remote", "add", "origin", str(tmp_path / "there.git"))
    return tmp_path / "there.git"


def on_branch(bare: Path) -> dict[str, bytes]:
    packed = git(bare, "-c", "core.attributesFile=", "archive", "gh-pages")
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        return {
            entry.name: file.read() for entry in tar if entry.isfile() and (file := tar.extractfile(entry))
        }


def in_folder(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_arrives_and_what_moves(finished_run: Callable[..., Path], tmp_path: Path, bare: Path) -> None:
    folder, site, there = finished_run(shapes=SHAPES, picks=(1, 2)), tmp_path / "gallery", tmp_path / "there"
    settings = SiteSettings(formats=("jpg",))

    def sent() -> tuple[set[str], set[str]]:
        """Built, and sent to both; the same moves to both."""
        with Run.open(folder) as run:
            publish_site(PublishRequest([run], site, settings, workers=1))
        by_git, by_rsync = send_site(site, "gh-pages"), send_site(site, f"rsync:{there}")
        own = {MANIFEST_FILE, ".nojekyll"}
        assert set(by_git.changed) - own == set(by_rsync.changed) - own
        assert by_git.removed == by_rsync.removed
        assert on_branch(bare) == in_folder(site) | {".nojekyll": b""}
        assert in_folder(there) == in_folder(site)
        return set(by_rsync.changed), set(by_rsync.removed)

    first, removed = sent()
    assert (first, removed) == (set(in_folder(site)) - {MANIFEST_FILE}, set())
    assert sent() == (set(), set())
    with Run.open(folder) as run:
        run.pick(1, False)
        run.pick(3, True)
    changed, removed = sent()
    assert {name for name in removed if "-0001" not in name} == set()
    assert any(name.startswith("images/") for name in removed)
    stays = [name for name in in_folder(site) if "-0002" in name and not name.startswith("pieces/")]
    assert len(stays) >= 3
    assert not changed & set(stays)
    assert not {name for name in changed if name.startswith("assets/")}


@pytest.mark.slow
def test_the_command(finished_run: Callable[..., Path], tmp_path: Path, bare: Path) -> None:
    finished_run(shapes=SHAPES, picks=(1, 2))

    def artgen(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "artgen", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            text=True,
        )

    said = artgen("publish", "--to", "gh-pages", "--json")
    assert said.returncode == 0, said.stderr
    report = json.loads(said.stdout)
    assert report["sent"]["to"] == "gh-pages"
    assert on_branch(bare) == in_folder(tmp_path / "gallery") | {".nojekyll": b""}
    there = tmp_path / "there"
    (there / "index.html").parent.mkdir()
    (there / "index.html").write_text("somebody's")
    said = artgen("publish", "--to", f"rsync:{there}")
    assert said.returncode == 2
    assert "index.html is there and is not artgen's" in said.stderr
    assert "Traceback" not in said.stderr
    said = artgen("publish", "--to", f"rsync:{there}", "--force")
    assert said.returncode == 0, said.stderr
    assert "0 removed" in said.stderr
    assert in_folder(there) == in_folder(tmp_path / "gallery")
    git(tmp_path, "remote", "remove", "origin")
    said = artgen("publish", "--to", "gh-pages")
    assert (said.returncode, "git remote add origin" in said.stderr) == (2, True)


@pytest.mark.usefixtures("bare")
def test_what_cannot_be_sent_is_said_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for to in ("gh-pages", "gh-pages:www", "gallery", "me@example.org:www"):
        check_target(Path("gallery"), to)
    with pytest.raises(ArtgenError, match="cannot be a branch's name"):
        check_target(Path("gallery"), "gh-pages:a..b")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(outside)
    check_target(Path("gallery"), "me@example.org:www")
    with pytest.raises(ArtgenError, match=r"outside is in no git repository.*git init"):
        check_target(Path("gallery"), "gh-pages")
    git(outside, "init", "-q", "gallery")
    with pytest.raises(ArtgenError, match=r"the repository has no remote origin"):
        check_target(Path("gallery"), "gh-pages")
