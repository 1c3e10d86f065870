"""A site sent by the real rsync: to a folder, and through a real ssh server on loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.gallery.deploy.targets import is_remote_target, send_site
from artgen.gallery.deploy.upload_set import UploadResult
from artgen.gallery.publish.manifest import MANIFEST_FILE

FIRST = {
    "index.html": '<img src="images/a-480.jpg"><img src="images/b-480.jpg">',
    "pieces/a.html": '<img src="../images/a-480.jpg">',
    "pieces/b.html": '<img src="../images/b-480.jpg">',
    "images/a-480.jpg": "a" * 50_000,
    "images/b-480.jpg": "b" * 50_000,
    "assets/site.css": "p { color: black }",
}
SSHD = shutil.which("sshd") or next((p for p in ("/usr/sbin/sshd",) if Path(p).exists()), None)


def needed(program: str | None, name: str) -> None:
    if program is None and os.environ.get("CI"):
        pytest.fail(f"{name} is not installed")
    if program is None:
        pytest.skip(f"{name} is not installed")


@pytest.fixture(autouse=True)
def _rsync() -> None:
    needed(shutil.which("rsync"), "rsync")


def write_site(site: Path, files: dict[str, str]) -> Path:
    """A built folder, all anew, as in a fresh checkout."""
    shutil.rmtree(site, ignore_errors=True)
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    (site / MANIFEST_FILE).write_text(json.dumps({"files": sorted(files)}))
    return site


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path / "gallery", FIRST)


def inodes(there: Path) -> dict[str, int]:
    """rsync writes a file under another name first: one that was moved again is another."""
    return {path.relative_to(there).as_posix(): path.stat().st_ino for path in there.rglob("*")}


def test_where_a_site_goes() -> None:
    for to in ("gh-pages", "gh-pages:www", "me@example.org:www", "host:www", "rsync://h/m", "rsync:/mnt/www"):
        assert is_remote_target(to), to
    for to in ("gallery", "./gh-pages", "./a:b", "/srv/a:b", "C:\\site", "D:/site", "out/gh-pages", "."):
        assert not is_remote_target(to), to


def test_what_arrives_is_what_was_built(site: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    (site / "index.html").chmod(0o600)
    (site / "mine.html").write_text("by hand")
    (site / "leads away").symlink_to("/etc/hostname")
    (site / ".git").mkdir()
    (site / ".git" / "config").write_text("secret")
    said: list[object] = []
    sent = send_site(site, f"rsync:{there}", said.append)
    assert contents(there) == {
        name: data for name, data in contents(site).items() if name not in ("leads away", ".git/config")
    }
    assert sent == UploadResult(f"rsync:{there}", tuple(sorted([*FIRST, "mine.html"])), ())
    assert any("leads away: a symbolic link" in str(note) for note in said)
    assert {path.stat().st_mode & 0o777 for path in there.rglob("*") if path.is_file()} == {0o644}


def test_a_second_time_only_what_changed_moves(site: Path, tmp_path: Path) -> None:
    there, to = tmp_path / "there", f"rsync:{tmp_path / 'there'}"
    send_site(site, to)
    before = inodes(there)
    write_site(site, FIRST)
    assert send_site(site, to) == UploadResult(to, (), ())
    assert inodes(there) == before
    (there / "CNAME").write_text("art.example")
    (there / "images" / "mine.jpg").write_text("mine")
    before = inodes(there)
    rest = {name: text for name, text in FIRST.items() if "b" not in Path(name).stem}
    # As long as before, and as old: only its content tells.
    write_site(site, rest | {"index.html": FIRST["index.html"].upper()})
    os.utime(site / "index.html", ((there / "index.html").stat().st_mtime,) * 2)
    sent = send_site(site, to)
    assert sent == UploadResult(to, ("index.html",), ("images/b-480.jpg", "pieces/b.html"))
    images = ("images/a-480.jpg", "images/mine.jpg", "CNAME")
    assert {name: inodes(there)[name] for name in images} == {name: before[name] for name in images}
    assert contents(there) == contents(site) | {"CNAME": b"art.example", "images/mine.jpg": b"mine"}


def test_names_with_everything_in_them(tmp_path: Path) -> None:
    names = [
        "a b.html",
        "é #1 100%.html",
        "-x.html",
        "#1.html",
        ";.html",
        "*.html",
        "$(touch x).html",
        "'\"`.jpg",
        "שלום.html",
        "[a].html",
    ]
    site = write_site(tmp_path / "my gallery", dict.fromkeys(["index.html", *names], "x"))
    there = tmp_path / "out there 'é'"
    assert set(send_site(site, f"rsync:{there}").changed) == {"index.html", *names}
    assert contents(there) == contents(site)
    write_site(site, {"index.html": "x"})
    assert set(send_site(site, f"rsync:{there}").removed) == set(names)
    assert contents(there) == contents(site)


def test_a_folder_that_the_site_has_no_more(site: Path, tmp_path: Path) -> None:
    there, to = tmp_path / "there", f"rsync:{tmp_path / 'there'}"
    films = {"films/a.mp4": "a", "zoom/b_files/0/0_0.jpg": "b", "zoom/b_files/1/0_0.jpg": "b"}
    write_site(site, FIRST | films)
    send_site(site, to)
    (there / "films").chmod(0o750)
    write_site(site, FIRST)
    for name in ("films", "zoom"):
        shutil.rmtree(site / name, ignore_errors=True)
    assert send_site(site, to) == UploadResult(to, (), tuple(films))
    assert contents(there) == contents(site)
    assert (there / "films").stat().st_mode & 0o777 == 0o750
    shutil.rmtree(there / "films")
    assert send_site(site, to) == UploadResult(to, (), ())


def test_files_that_are_not_artgens_are_not_replaced(site: Path, tmp_path: Path) -> None:
    there, to = tmp_path / "there", f"rsync:{tmp_path / 'there'}"
    there.mkdir()
    (there / "index.html").write_text("somebody's")
    (there / "notes.html").write_text("somebody's")
    with pytest.raises(ArtgenError, match=r"index\.html is there and is not artgen's.*--force"):
        send_site(site, to)
    assert set(contents(there)) == {"index.html", "notes.html"}
    send_site(site, to, force=True)
    assert contents(there) == contents(site) | {"notes.html": b"somebody's"}


def test_a_manifest_that_was_tampered_with_takes_nothing_else_away(site: Path, tmp_path: Path) -> None:
    there, to = tmp_path / "there", f"rsync:{tmp_path / 'there'}"
    send_site(site, to)
    (tmp_path / "precious").write_text("x")
    (there / "sub").mkdir()
    (there / "sub" / "precious").write_text("x")
    names = ["../precious", str(tmp_path / "precious"), "a/../../precious", "sub", "..", "", 7, None]
    (there / MANIFEST_FILE).write_text(json.dumps({"files": names}))
    assert send_site(site, to).removed == ()
    assert (tmp_path / "precious").exists()
    assert (there / "sub" / "precious").exists()


@pytest.mark.slow
def test_killed_in_the_middle_the_old_site_stands(site: Path, tmp_path: Path) -> None:
    there, to = tmp_path / "there", f"rsync:{tmp_path / 'there'}"
    send_site(site, to)
    # The program itself, kept slow, so that it is in the middle when it is killed.
    slow = tmp_path / "bin" / "rsync"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\nexec {shutil.which("rsync")} --bwlimit=400 "$@"\n')
    slow.chmod(0o755)
    gone = ("images/b-480.jpg", "pieces/b.html")
    second = {name: text for name, text in FIRST.items() if name not in gone} | {
        "index.html": '<img src="images/a-480.jpg"><img src="images/c-480.jpg">' + " " * 200_000,
        "images/a-480.jpg": "A" * 200_000,
        "images/c-480.jpg": "c" * 200_000,
    }
    write_site(site, second)
    script = (
        "import sys, pathlib, artgen.gallery.deploy.targets as targets\n"
        "targets.send_site(pathlib.Path(sys.argv[1]), sys.argv[2])"
    )
    for wait in (0.3, 0.6, 0.9, 1.2, 1.5):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(site), to],
            env={**os.environ, "PATH": f"{slow.parent}:{os.environ['PATH']}"},
            start_new_session=True,
        )
        time.sleep(wait)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for page in [path for path in there.rglob("*.html") if ".~tmp~" not in path.parts]:
            for link in re.findall(r'src="([^"]+)"', page.read_text()):
                assert (page.parent / link).is_file(), (wait, page, link)
    send_site(site, to)
    # A receiver that is killed cannot take its unfinished file away; behind a network it lives on and does.
    unfinished = re.compile(r"(.*/)?\.[^/]+\.\w{6}")
    assert {n: data for n, data in contents(there).items() if not unfinished.fullmatch(n)} == contents(site)


def test_what_a_person_can_put_right(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for to, words in {
        f"rsync:{tmp_path}/no/such/place": "rsync failed.*(mkdir|No such file)",
        "me@example.org:": "names no folder",
        "rsync://127.0.0.1:9/www": "Connection refused",
    }.items():
        with pytest.raises(ArtgenError, match=words):
            send_site(site, to)
    with pytest.raises(ArtgenError, match=r"was not made by artgen publish"):
        send_site(tmp_path, f"rsync:{tmp_path / 'there'}")
    (site / "index.html").unlink()
    with pytest.raises(ArtgenError, match=r"index\.html: missing; build the site again"):
        send_site(site, f"rsync:{tmp_path / 'there'}")
    write_site(site, FIRST)
    old = tmp_path / "bin" / "rsync"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openrsync: protocol version 29'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent), prepend=os.pathsep)
    with pytest.raises(ArtgenError, match=r"openrsync: protocol version 29.*rsync 3\.1 or newer"):
        send_site(site, f"rsync:{tmp_path / 'there'}")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ArtgenError, match="the program rsync is not installed here"):
        send_site(site, f"rsync:{tmp_path / 'there'}")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[str]:
    """A real rsync server on loopback with one module, ``www``; yields its address."""
    port, place = free_port(), tmp_path / "www"
    place.mkdir()
    own = f"uid = {os.getuid()}\ngid = {os.getgid()}\n" if os.getuid() == 0 else ""
    (tmp_path / "daemon.conf").write_text(
        f"{own}use chroot = no\n[www]\npath = {place}\nread only = no\nmunge symlinks = no\n"
    )
    call = ["rsync", "--daemon", "--no-detach", f"--port={port}", "--address=127.0.0.1"]
    server = subprocess.Popen([*call, f"--config={tmp_path / 'daemon.conf'}"])
    try:
        wait_for(port, server)
        yield f"rsync://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert server.poll() is None
        time.sleep(0.05)


def test_by_a_server_of_rsyncs_own(site: Path, tmp_path: Path, daemon: str) -> None:
    to = f"{daemon}/www/art"
    assert set(send_site(site, to).changed) == set(FIRST)
    assert contents(tmp_path / "www" / "art") == contents(site)
    assert send_site(site, to) == UploadResult(to, (), ())
    with pytest.raises(ArtgenError, match="Unknown module"):
        send_site(site, f"{daemon}/nothing")


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real ssh server of our own on loopback; yields who and where."""
    needed(SSHD, "sshd")
    needed(shutil.which("ssh"), "ssh")
    place = tmp_path / "ssh"
    place.mkdir(mode=0o700)
    for key in ("host", "mine"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / key], check=True)
    port = free_port()
    settings = {
        "HostKey": place / "host",
        "AuthorizedKeysFile": place / "mine.pub",
        "ListenAddress": "127.0.0.1",
        "Port": port,
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
        "PasswordAuthentication": "no",
    }
    (place / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # it will not start as root without
    server = subprocess.Popen([str(SSHD), "-D", "-E", str(place / "said"), "-f", str(place / "config")])
    options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes"
    monkeypatch.setenv("RSYNC_RSH", f"ssh -F none -p {port} -i {place / 'mine'} {options}")
    try:
        wait_for(port, server)
        yield f"{os.environ.get('USER') or subprocess.getoutput('id -un')}@127.0.0.1"
    finally:
        server.terminate()
        server.wait()


@pytest.mark.slow
def test_by_ssh(site: Path, tmp_path: Path, ssh: str) -> None:
    there = tmp_path / "out there"
    to = f"{ssh}:{there}"
    assert set(send_site(site, to).changed) == set(FIRST)
    assert contents(there) == contents(site)
    (there / "CNAME").write_text("art.example")
    rest = {name: text for name, text in FIRST.items() if "b" not in Path(name).stem}
    write_site(site, rest | {"pieces/é & $HOME.html": "x"})
    sent = send_site(site, to)
    assert sent == UploadResult(to, ("pieces/é & $HOME.html",), ("images/b-480.jpg", "pieces/b.html"))
    assert contents(there) == contents(site) | {"CNAME": b"art.example"}
    with pytest.raises(ArtgenError, match="rsync failed"):
        send_site(site, f"{ssh}:{tmp_path}/no/such/place")
