"""What others write into a site's folder while it is published: all of it stays, a repository too."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from artgen.runs.store import Run

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}
GIT = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org")


def publish(folder: Path, title: str) -> None:
    command = [sys.executable, "-m", "artgen", "publish", "photos", "--workers=1", f"--title={title}"]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def git(site: Path, *arguments: str) -> str:
    done = subprocess.run([*GIT, *arguments], cwd=site, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


class Meanwhile(threading.Thread):
    """Works on a site until it is stopped; ``errors`` holds what went wrong."""

    def __init__(self, work: Callable[[int], None], most: int, pause: float) -> None:
        super().__init__()
        self._work, self._most, self._pause, self._end = work, most, pause, threading.Event()
        self.done, self.errors = 0, list[BaseException]()
        self.start()

    def run(self) -> None:
        chance = random.Random(1)
        while self.done < self._most and not self._end.wait(chance.uniform(0, self._pause)):
            try:
                self._work(self.done)
                self.done += 1
            except BaseException as error:
                self.errors.append(error)
                return

    def finish(self) -> None:
        """What is left to do once no publishing is in the way."""
        self._end.set()
        self.join()
        assert self.errors == []


@pytest.mark.parametrize(
    ("files", "publishings"), [(25, 2), pytest.param(200, 20, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_files_and_commits_during_publishings(tmp_path: Path, files: int, publishings: int) -> None:
    """At random moments: new files at every depth, files replaced as editors do, and a commit of each."""
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (32, 24), (200, 30, 40)).save(tmp_path / "photos" / "a.png")
    (tmp_path / "gallery.toml").write_text("widths = [16]\n")
    publish(tmp_path, "Before")
    site = tmp_path / "gallery"
    git(site, "init", "-q")
    (site / "notes" / "deep").mkdir(parents=True)
    places = ("", "notes", "notes/deep", "images", "pieces", "assets")

    def write(number: int) -> None:
        (site / places[number % len(places)] / f"mine {number}.txt").write_text(f"mine {number}")
        (site / "latest.tmp").write_text(str(number))
        (site / "latest.tmp").replace(site / "CNAME")

    def commit(number: int) -> None:
        (site / "notes" / "log.txt").write_text(str(number))
        git(site, "add", "notes/log.txt")
        git(site, "commit", "-q", "-m", f"commit {number}")

    writing = Meanwhile(write, files, 2 * publishings / files)  # a publishing takes a second or longer
    committing = Meanwhile(commit, 10 * files, 0.01)
    for number in range(publishings):
        publish(tmp_path, f"Title {number}")
        assert f"Title {number}" in (site / "index.html").read_text("utf-8")
    writing.finish()
    committing.finish()
    assert writing.done > files // 4  # while they were published; the rest of them matters as little
    for number in range(writing.done):
        file = site / places[number % len(places)] / f"mine {number}.txt"
        assert file.read_text() == f"mine {number}"
    assert (site / "CNAME").read_text() == str(writing.done - 1)
    assert committing.done > publishings
    subjects = git(site, "log", "--format=%s", "--reverse").splitlines()
    assert subjects == [f"commit {number}" for number in range(committing.done)]
    git(site, "fsck", "--strict", "--full")
    assert git(site, "status", "--porcelain", "notes/log.txt") == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gallery", "gallery.toml", "photos"]


@pytest.mark.slow
def test_files_while_preview_publishes_again(tmp_path: Path, finished_run: Callable[..., Path]) -> None:
    run = finished_run(shapes=((24, 24), (32, 24)), picks=(1,))
    (tmp_path / "gallery.toml").write_text("widths = [16]\n")
    command = [sys.executable, "-m", "artgen", "preview", "--no-browser", "--port=0", f"--run={run}"]
    process = subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        urllib.request.urlopen(process.stdout.readline().strip()).close()  # it watches from now on
        with Run.open(run) as opened:
            opened.pick(2, True)
        number, until = 0, time.monotonic() + 60
        while not (tmp_path / "gallery" / "pieces" / "abstracts-1a2b3c4d-0002.html").exists():
            assert time.monotonic() < until
            (tmp_path / "gallery" / f"mine {number}.txt").write_text("mine")
            number += 1
            time.sleep(0.02)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
    assert len([*(tmp_path / "gallery").glob("mine *.txt")]) == number
