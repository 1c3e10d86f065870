"""``artgen preview``: the real command, asked by sockets and looked at in a real browser."""

from __future__ import annotations

import html
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from artgen.gallery.preview.livereload import PREVIEW_URL_PATH, add_reload_script
from artgen.gallery.preview.watcher import hash_file_states
from artgen.runs.store import Run

POLICY = "default-src 'none'; img-src 'self'; script-src 'self'; connect-src 'none'"
PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
    '<meta http-equiv="Content-Security-Policy" content="{policy}"><title>{title}</title></head>'
    "<body><h1>{title}</h1></body></html>"
)


def page(title: str) -> str:
    return PAGE.format(title=title, policy=POLICY)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "gallery"
    (site / "pieces").mkdir(parents=True)
    (site / "index.html").write_text(page("One"), "utf-8")
    (site / "404.html").write_text(page("Not here"), "utf-8")
    (site / "pieces" / "é #1.html").write_text(page("Piece"), "utf-8")
    (site / "film.mp4").write_bytes(bytes(range(256)) * 8)
    for name in (
        "a.avif",
        "a.webp",
        "a.jpg",
        "a.png",
        "site.css",
        "site.js",
        "f.woff2",
        "atom.xml",
        "feed.json",
    ):
        (site / name).write_bytes(b"x")
    (site / ".git").mkdir()
    (site / ".git" / "config").write_text("secret")
    return site


@contextmanager
def previewing(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, and where it says the site is; ended by Ctrl-C."""
    process = subprocess.Popen(
        [sys.executable, "-m", "artgen", "preview", "--no-browser", "--port=0", "--json", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            said += line
        yield process, json.loads(said)["url"]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)


def asked(url: str, path: str, host: str = "", **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(*url.removeprefix("http://").rstrip("/").split(":"), timeout=10)
    connection.request("GET", path, headers={"Host": host or connection.host, **headers})
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read()
    connection.close()
    return found


def test_as_a_web_server_would(site: Path) -> None:
    before = hash_file_states([site])
    with previewing(site.parent) as (process, url):
        types = {
            "/": "text/html; charset=utf-8",
            "/pieces/%C3%A9%20%231.html": "text/html; charset=utf-8",
            "/a.avif": "image/avif",
            "/a.webp": "image/webp",
            "/a.jpg": "image/jpeg",
            "/a.png": "image/png",
            "/film.mp4": "video/mp4",
            "/site.css": "text/css; charset=utf-8",
            "/site.js": "text/javascript; charset=utf-8",
            "/f.woff2": "font/woff2",
            "/atom.xml": "application/xml",
            "/feed.json": "application/json",
        }
        for path, kind in types.items():
            status, headers, _ = asked(url, path)
            assert (status, headers["content-type"]) == (200, kind), path
        status, headers, body = asked(url, "/film.mp4", Range="bytes=10-13")
        assert (status, headers["content-range"], body) == (206, "bytes 10-13/2048", bytes([10, 11, 12, 13]))
        for path in ("/nothing", "/pieces/nothing.html", "/pieces/"):
            status, _, body = asked(url, path)
            assert (status, b"Not here" in body) == (404, True), path
        for path in ("/.git/config", "/../secret", "/%2e%2e/secret", "/.git/../.git/config"):
            assert b"secret" not in asked(url, path)[2], path
        assert asked(url, "/", host="evil.example")[0] == 400
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert hash_file_states([site]) == before  # nothing of it is in the published files


def test_a_site_in_a_folder_of_its_server(site: Path) -> None:
    text = page("One").replace("<title>", '<link rel="canonical" href="https://art.example/my/art/"><title>')
    (site / "index.html").write_text(text, "utf-8")
    with previewing(site.parent) as (_, url):
        for path in ("/site.css", "/my/art/site.css", "/my/art/", "/"):
            assert asked(url, path)[0] == 200, path
        for path in ("/my/art/nothing", "/my/site.css"):
            assert asked(url, path)[0] == 404, path


def test_ctrl_c_while_a_page_listens(site: Path) -> None:
    with previewing(site.parent) as (process, url):
        connection = http.client.HTTPConnection(
            *url.removeprefix("http://").rstrip("/").split(":"), timeout=10
        )
        connection.request("GET", f"{PREVIEW_URL_PATH}changes")
        answer = connection.getresponse()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.readline().startswith(b"data: ")
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0
        assert time.monotonic() - begun < 3
        answer.close()
        connection.close()


@pytest.mark.slow
def test_a_page_reloads_when_the_site_is_switched_over(site: Path, chromium: Any) -> None:
    with previewing(site.parent, "gallery") as (_, url):
        window = chromium.new_context().new_page()
        complaints: list[str] = []
        window.on("console", lambda message: complaints.append(message.text))
        window.on("pageerror", lambda error: complaints.append(str(error)))
        window.goto(url)
        assert window.inner_text("h1") == "One"
        window.wait_for_timeout(800)  # nothing has changed: it stays
        assert window.evaluate("performance.getEntriesByType('navigation')[0].type") == "navigate"
        new = site.with_name("new")
        shutil.copytree(site, new)
        (new / "index.html").write_text(page("Two"), "utf-8")
        site.rename(site.with_name("before"))
        new.rename(site)
        window.wait_for_selector("h1:text('Two')", timeout=5000)
        (site / "index.html").write_text(page("Three"), "utf-8")  # a page by hand
        window.wait_for_selector("h1:text('Three')", timeout=5000)
        assert complaints == []
        window.context.close()


@pytest.mark.parametrize("quote", ["'", "&#39;", "&#x27;"])
def test_the_policy_lets_the_script_work_and_no_more(quote: str) -> None:
    text = add_reload_script(page("x").replace(POLICY, POLICY.replace("'", quote)))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    opened = "default-src 'none'; img-src 'self'; script-src 'self'; connect-src 'self'"
    assert html.unescape(policy[1]) == opened
    assert text.count(f'<script src="{PREVIEW_URL_PATH}reload.js"></script>\n</body>') == 1
    assert add_reload_script("<p>bare").startswith("<p>bare<script")


@pytest.mark.slow
def test_picks_that_change_are_published(
    finished_run: Callable[..., Path], tmp_path: Path, chromium: Any
) -> None:
    """With a real site's pages and the policy that they have."""
    run = finished_run(shapes=((64, 64),) * 3, picks=(1,))
    with previewing(tmp_path, "--run", "abstracts") as (process, url):
        before = hash_file_states([tmp_path / "gallery"])
        window = chromium.new_context().new_page()
        complaints: list[str] = []
        window.on("console", lambda message: complaints.append(message.text))
        window.on("pageerror", lambda error: complaints.append(str(error)))
        window.goto(url)
        assert window.locator("a[href*='-0001']").count() > 0
        window.wait_for_timeout(1500)
        assert hash_file_states([tmp_path / "gallery"]) == before  # publishing does not set itself off
        with Run.open(run) as opened:
            opened.pick(2, True)
        window.wait_for_selector("a[href*='-0002']", timeout=60_000)
        (tmp_path / "gallery.toml").write_text('title = "Other"\n')
        window.wait_for_selector("h1:text('Other')", timeout=60_000)
        (tmp_path / "gallery.toml").write_text("title = 7\n")  # wrong: the site that was there stays
        window.wait_for_timeout(4000)
        assert window.inner_text("h1") == "Other"
        assert process.poll() is None
        assert complaints == []
        window.context.close()


def test_without_a_site(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "artgen", "preview", "--no-browser"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
    )
    assert said.returncode == 2
    assert said.stderr == "gallery: no site here; publish one first (try: artgen publish --to gallery)\n"
