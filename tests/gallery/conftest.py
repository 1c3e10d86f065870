"""What tests of published pages share: a site of every kind of piece, a server, and a watched browser."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

HOSTILE = "</title><script>alert(1)</script> \"'&amp; 100% #2 ../x é עברית"
ABOUT = """\
# Ada Quill

Makes *large* pictures out of small ones. Writes to [friends](mailto:ada@example.org), not to
[strangers](javascript:alert(3)). <script>alert(4)</script>

## Exhibitions

- 2026, Ten thousand thumbnails

![elsewhere](https://elsewhere.example/picture.png)
"""
GALLERY = """\
title = "Ten thousand thumbnails"
artist = "Ada Quill"
statement = "Composed by chance, painted over, and looked at for a long time."
base_url = "https://art.example/ada/"
rights = "© 2026 Ada Quill"
edition = "Edition of 5"
widths = [200, 400]

[[links]]
name = "Elsewhere"
url = "https://elsewhere.example/ada"
"""
SHAPES = ((96, 96), (480, 320), (96, 144), (300, 300))


@pytest.fixture(scope="session")
def hostile() -> str:
    """A title that would be markup, a path, an address or a pattern, if anything took it for one."""
    return HOSTILE


@pytest.fixture(scope="session")
def museum(tmp_path_factory: pytest.TempPathFactory, _made_runs: Callable[..., Path]) -> Path:
    """A published site: picks of two runs, a picture with tiles, a film; nobody may change it."""
    from PIL import Image

    from artgen.gallery.publish.builder import PublishRequest, publish_site
    from artgen.gallery.works.settings import load_settings
    from artgen.runs.history import DecisionChange
    from artgen.runs.store import Run

    place = tmp_path_factory.mktemp("museum")
    caption = "After a coffee thumbnail, candidate {index}"
    for name, title, picks in (
        ("abstracts-1a2b3c4d", "Abstracts", (1, 2, 3, 4)),
        ("hostile-0a0b0c0d", HOSTILE, (1, 2)),
    ):
        shutil.copytree(_made_runs(name, SHAPES, title, caption), place / name)
        with Run.open(place / name) as run:
            for index in picks:
                run.pick(index, True)
            if title == HOSTILE:  # two equal titles
                words = (("title", HOSTILE), ("alt", "<img src=x onerror=alert(2)>"))
                changes = [DecisionChange(index, field, text) for index in picks for field, text in words]
                run.decisions.decide(changes, author="Ada", view="test")
    plates = place / "plates #1"
    plates.mkdir()
    wide = Image.linear_gradient("L").resize((4800, 700))
    Image.merge("RGB", (wide, wide.transpose(Image.Transpose.FLIP_LEFT_RIGHT), wide)).save(
        plates / "wide view.jpg"
    )
    _write_film(plates / "a walk.mp4")
    (place / "gallery.toml").write_text(GALLERY, "utf-8")
    (place / "about.md").write_text(ABOUT, "utf-8")
    with Run.open(place / "abstracts-1a2b3c4d") as one, Run.open(place / "hostile-0a0b0c0d") as two:
        publish_site(
            PublishRequest(
                (one, two, plates), place / "site #1 é", load_settings(place / "gallery.toml"), workers=1
            )
        )
    return place / "site #1 é"


def _write_film(file: Path) -> None:
    import av
    from PIL import Image

    with av.open(str(file), "w") as film:
        stream = film.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for shade in range(0, 250, 50):
            frame = av.VideoFrame.from_image(Image.new("RGB", (160, 96), (shade, 90, 120)))
            film.mux(stream.encode(frame))
        film.mux(stream.encode())


@pytest.fixture(scope="session")
def served(museum: Path) -> Iterator[str]:
    """The site's address on a server of this machine, below the path that its base URL names."""
    web = museum.parent / "web"
    web.mkdir()
    (web / "ada").symlink_to(museum)

    class Quiet(SimpleHTTPRequestHandler):
        extensions_map = SimpleHTTPRequestHandler.extensions_map | {
            ".avif": "image/avif",
            ".woff2": "font/woff2",
        }

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(web)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/ada/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def visit(chromium: Any, museum: Path, served: str) -> Iterator[Callable[..., Any]]:
    """Open a page of the museum, from its server or from the disk.

    Afterwards: nothing on the console, nothing that failed, nothing asked of anyone else.
    """
    contexts, complaints = [], []
    roots = {"http": served, "file": f"{museum.resolve().as_uri()}/"}

    def watch(page: Any, root: str) -> None:
        def asked(request: Any) -> None:
            if not request.url.startswith((root, "data:", "blob:")):
                complaints.append(f"request: {request.url}")

        def failed(request: Any) -> None:
            if request.failure != "net::ERR_ABORTED":  # a click went on before a lazy picture had come
                complaints.append(f"{request.failure}: {request.url}")

        def answered(response: Any) -> None:
            if response.status >= 400:
                complaints.append(f"{response.status}: {response.url}")

        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", asked)
        page.on("requestfailed", failed)
        page.on("response", answered)

    def open_(
        path: str = "index.html", by: str = "file", width: int = 1400, height: int = 900, **settings: Any
    ) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height}, **settings)
        contexts.append(context)
        page = context.new_page()
        watch(page, roots[by])
        page.goto(roots[by] + path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []
