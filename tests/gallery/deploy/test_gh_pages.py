"""A site on a branch of a real repository, pushed to a bare one beside it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.gallery.deploy.targets import send_site
from artgen.gallery.publish.manifest import MANIFEST_FILE

WHO = ("-c", "user.name=An Artist", "-c", "user.email=artist@example.org")
FIRST = {
    "index.html": "<h1>one</h1>\r\n",  # line endings stay
    "pieces/a.html": "a",
    "pieces/b.html": "b",
    "images/a-480.jpg": "a" * 5000,
    "images/b-480.jpg": "b" * 5000,
    "assets/site.css": "p { color: black }",
}


def git(folder: Path, *arguments: str, said: bytes = b"") -> str:
    done = subprocess.run(["git", *WHO, *arguments], cwd=folder, input=said, capture_output=True, check=True)
    return done.stdout.decode()


def write_site(site: Path, files: dict[str, str]) -> Path:
    """A built folder: what a manifest calls artgen's is exactly ``files``."""
    manifest = site / MANIFEST_FILE
    for name in json.loads(manifest.read_text())["files"] if manifest.exists() else ():
        (site / name).unlink()
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(text.encode())
    manifest.write_text(json.dumps({"files": sorted(files)}))
    return site


def arrived(bare: Path, branch: str = "gh-pages") -> dict[str, bytes]:
    names = git(bare, "ls-tree", "-r", "-z", "--name-only", branch).split("\0")[:-1]
    command = ["git", "cat-file", "blob"]
    return {
        name: subprocess.run([*command, f"{branch}:{name}"], cwd=bare, capture_output=True, check=True).stdout
        for name in names
    }


def built(site: Path) -> dict[str, bytes]:
    return {p.relative_to(site).as_posix(): p.read_bytes() for p in site.rglob("*") if p.is_file()}


def objects(bare: Path) -> int:
    told = dict(line.split(": ") for line in git(bare, "count-objects", "-v").splitlines())
    return int(told["count"]) + int(told["in-pack"])


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "--bare", "there.git")
    return tmp_path / "there.git"


@pytest.fixture
def site(tmp_path: Path, bare: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In a repository with its own work on ``main`` and settings that would change files."""
    for name, value in (("NAME", "An Artist"), ("EMAIL", "artist@example.org")):
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
    here = tmp_path / "here"
    here.mkdir()
    git(here, "init", "-q", "-b", "main")
    git(here, "config", "core.autocrlf", "true")
    (here / ".gitattributes").write_text("* text=auto eol=lf\n")
    (here / ".gitignore").write_text("/gallery/\n*.jpg\n")
    git(here, "add", ".")
    git(here, "commit", "-q", "-m", "Mine")
    git(here, "remote", "add", "origin", str(bare))
    return write_site(here / "gallery", FIRST)


def test_what_arrives_is_what_was_built(site: Path, bare: Path) -> None:
    sent = send_site(site, "gh-pages")
    assert sent.target == "gh-pages"
    assert sorted(sent.changed) == sorted([*built(site), ".nojekyll"])
    assert sent.removed == ()
    assert arrived(bare) == built(site) | {".nojekyll": b""}
    assert (
        git(bare, "log", "-1", "--format=%an %cn <%ce>", "gh-pages").strip().endswith("<artist@example.org>")
    )
    # Nothing of the artist's moved: their branches, what they have staged, what lies about.
    assert git(site, "branch", "--format=%(refname:short)").split() == ["main"]
    assert git(site, "status", "--porcelain") == ""
    assert [path.name for path in site.parent.iterdir() if "artgen" in path.name] == []


def test_a_second_time_only_what_changed_moves(site: Path, bare: Path) -> None:
    send_site(site, "gh-pages")
    before = objects(bare)
    assert send_site(site, "gh-pages").changed == ()
    assert objects(bare) == before
    assert git(bare, "rev-list", "--count", "gh-pages").strip() == "1"
    rest = {name: text for name, text in FIRST.items() if "b" not in Path(name).stem}
    sent = send_site(write_site(site, rest | {"index.html": "<h1>two</h1>"}), "gh-pages")
    assert sent.changed == (MANIFEST_FILE, "index.html")
    assert sent.removed == ("images/b-480.jpg", "pieces/b.html")
    assert arrived(bare) == built(site) | {".nojekyll": b""}
    assert objects(bare) - before == 6  # a commit, two files, three folders
    for name in built(site):  # another checkout: all times are new
        os.utime(site / name, (1, 1))
    assert send_site(site, "gh-pages") == type(sent)("gh-pages", (), ())


def test_what_others_put_on_the_branch_stays(site: Path, bare: Path, tmp_path: Path) -> None:
    send_site(site, "gh-pages:pages/now")
    git(tmp_path, "clone", "-q", "-b", "pages/now", str(bare), "elsewhere")
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "CNAME").write_bytes(b"art.example\r\n")
    (elsewhere / "own pages").mkdir()
    (elsewhere / "own pages" / "é #1.sh").write_text("mine")
    (elsewhere / "own pages" / "é #1.sh").chmod(0o755)
    git(elsewhere, "add", ".")
    git(elsewhere, "commit", "-q", "-m", "A domain")
    git(elsewhere, "push", "-q")
    (site / "about me.html").write_text("by hand")
    git(site, "branch", "pages/now", "main")  # a local branch of that name is somebody's own affair
    sent = send_site(write_site(site, FIRST | {"index.html": "two"}), "gh-pages:pages/now")
    assert sent.changed == (MANIFEST_FILE, "about me.html", "index.html")[1:]
    here = arrived(bare, "pages/now")
    assert here.pop("CNAME") == b"art.example\r\n"
    assert here.pop("own pages/é #1.sh") == b"mine"
    assert here == built(site) | {".nojekyll": b""}
    assert "100755" in git(bare, "ls-tree", "-r", "pages/now", "own pages/")
    assert git(site, "rev-parse", "pages/now") == git(site, "rev-parse", "main")


def test_files_that_are_not_artgens_are_not_replaced(site: Path, bare: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(bare), "other")
    git(other, "checkout", "-q", "-b", "gh-pages")
    (other / "index.html").write_text("somebody's")
    (other / "notes.html").write_text("somebody's")
    git(other, "add", ".")
    git(other, "commit", "-q", "-m", "By hand")
    git(other, "push", "-q", "origin", "gh-pages")
    with pytest.raises(ArtgenError, match=r"index\.html is there and is not artgen's.*--force"):
        send_site(site, "gh-pages")
    assert arrived(bare)["index.html"] == b"somebody's"
    send_site(site, "gh-pages", force=True)
    assert arrived(bare) == built(site) | {".nojekyll": b"", "notes.html": b"somebody's"}


def test_a_link_on_the_branch_is_not_lost_silently(site: Path, bare: Path, tmp_path: Path) -> None:
    send_site(site, "gh-pages")
    git(tmp_path, "clone", "-q", "-b", "gh-pages", str(bare), "other")
    (tmp_path / "other" / "link").symlink_to("/etc")
    git(tmp_path / "other", "add", ".")
    git(tmp_path / "other", "commit", "-q", "-m", "A link")
    git(tmp_path / "other", "push", "-q")
    with pytest.raises(ArtgenError, match="'link' is no plain file"):
        send_site(site, "gh-pages")


def test_a_refused_push_leaves_the_branch(site: Path, bare: Path) -> None:
    send_site(site, "gh-pages")
    hook = bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'file is 123 MB; this exceeds the limit' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = git(bare, "rev-parse", "gh-pages")
    write_site(site, FIRST | {"index.html": "two"})
    with pytest.raises(ArtgenError, match=r"is unchanged.*exceeds the limit"):
        send_site(site, "gh-pages")
    assert git(bare, "rev-parse", "gh-pages") == before
    hook.unlink()
    assert send_site(site, "gh-pages").changed == ("index.html",)


def test_a_file_where_the_site_has_a_folder(site: Path, bare: Path, tmp_path: Path) -> None:
    rest = {name: text for name, text in FIRST.items() if not name.startswith("pieces/")}
    send_site(write_site(site, rest), "gh-pages")
    git(tmp_path, "clone", "-q", "-b", "gh-pages", str(bare), "other")
    (tmp_path / "other" / "pieces").write_text("mine")
    git(tmp_path / "other", "add", ".")
    git(tmp_path / "other", "commit", "-q", "-m", "A file")
    git(tmp_path / "other", "push", "-q")
    with pytest.raises(ArtgenError, match="pieces is in the way of the site's"):
        send_site(write_site(site, FIRST), "gh-pages", force=True)


def test_after_one_that_was_killed(site: Path, bare: Path) -> None:
    send_site(site, "gh-pages")
    left = site.with_name(".gallery.artgen-send")
    (left / "pieces").mkdir(parents=True)
    (left / "pieces" / "gone.html").write_text("half")
    git(site, "branch", "artgen-sends-gh-pages", "main")
    assert send_site(write_site(site, FIRST | {"index.html": "two"}), "gh-pages").changed == ("index.html",)
    assert arrived(bare) == built(site) | {".nojekyll": b""}
    assert git(site, "branch", "--format=%(refname:short)").split() == ["main"]
    assert not left.exists()


def test_somebody_else_was_quicker(site: Path, bare: Path, tmp_path: Path) -> None:
    send_site(site, "gh-pages")
    git(tmp_path, "clone", "-q", "-b", "gh-pages", str(bare), "other")
    (tmp_path / "other" / "CNAME").write_text("art.example")
    git(tmp_path / "other", "add", ".")
    git(tmp_path / "other", "commit", "-q", "-m", "A domain")
    hook = site.parent / ".git" / "hooks" / "pre-push"  # between asking and pushing
    hook.write_text(
        f"#!/bin/sh\nrm $0; cd {tmp_path / 'other'} && env -u GIT_DIR git push -q origin gh-pages\n"
    )
    hook.chmod(0o755)
    write_site(site, FIRST | {"index.html": "two"})
    with pytest.raises(ArtgenError, match="origin refused the push, and is unchanged"):
        send_site(site, "gh-pages")
    assert arrived(bare)["index.html"] == FIRST["index.html"].encode()
    assert send_site(site, "gh-pages").changed == ("index.html",)
    assert arrived(bare) == built(site) | {".nojekyll": b"", "CNAME": b"art.example"}


def test_without_a_repository_or_a_remote(site: Path, bare: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtgenError, match=r"in no git repository.*git init"):
        send_site(write_site(tmp_path / "loose", FIRST), "gh-pages")
    with pytest.raises(ArtgenError, match="cannot be a branch's name"):
        send_site(site, "gh-pages:a..b")
    git(site, "remote", "set-url", "origin", str(tmp_path / "nowhere.git"))
    with pytest.raises(ArtgenError, match="origin could not be reached"):
        send_site(site, "gh-pages")
    git(site, "remote", "remove", "origin")
    with pytest.raises(ArtgenError, match=r"has no remote origin.*git remote add origin"):
        send_site(site, "gh-pages")
