"""A server for looking at a site before it is published: on this computer only, and it reloads by itself."""

from __future__ import annotations

import asyncio
import contextlib
import html
import re
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import FileResponse, HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from artgen import serving
from artgen.errors import ArtgenError
from artgen.gallery.preview.livereload import PLACE, SCRIPT, reloading
from artgen.gallery.preview.watcher import Watcher

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Scope

PORT = 8017
FRESH = {"cache-control": "no-store"}
HEARTBEAT = 10.0  # seconds without news, after which a line keeps the stream open
_CANONICAL = re.compile(r'<link rel="canonical" href="([^"]*)"')
# Said here: what a system knows of types differs, and Windows lets programs change it.
TYPES = {
    ".atom": "application/atom+xml",
    ".avif": "image/avif",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}


def listen(port: int | None) -> socket.socket:
    """Take a port of this computer.

    Args:
        port: 0 takes a free one; None the usual one, or a free one while that is in use.

    Raises:
        ArtgenError: it cannot be used.
    """
    if port is not None:
        return serving.listen(port)
    try:
        return serving.listen(PORT)
    except ArtgenError:
        return serving.listen(0)


def serve(watcher: Watcher, site: Path, listener: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve ``site`` until Ctrl-C.

    Args:
        watcher: of the site.
        site: its folder.
        listener: from ``listen``.
        ready: called with the address to open, once.
    """
    app = application(watcher, site)
    serving.serve(app, listener, ready=lambda: ready(serving.base_url(listener)), stop_streams=watcher.stop)


def application(watcher: Watcher, site: Path) -> Starlette:
    """Return the site as an ASGI application, with what makes its pages load again."""

    async def changes(_: Request) -> Response:
        return StreamingResponse(_events(watcher), media_type="text/event-stream", headers=FRESH)

    async def script(_: Request) -> Response:
        return Response(SCRIPT, media_type=TYPES[".js"], headers=FRESH)

    @contextlib.asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(watcher.watch())
        yield
        watcher.stop()
        await watching

    files = _Files(directory=site, html=True)
    return Starlette(
        routes=[
            Route(f"{PLACE}changes", changes),
            Route(f"{PLACE}reload.js", script),
            *([Mount(base, files)] if (base := _base(site)) else []),
            Mount("/", files),
        ],
        # A name of somebody else's can lead here (DNS rebinding).
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[serving.HOST, "localhost"])],
        lifespan=life,
    )


def _base(site: Path) -> str:
    """Return the server folder of the site, such as ``/art``: its 404 page names files from there."""
    with contextlib.suppress(OSError, ValueError):
        found = _CANONICAL.search((site / "index.html").read_text("utf-8", "replace"))
        if found:
            return urlsplit(html.unescape(found[1])).path.rstrip("/")
    return ""


async def _events(watcher: Watcher) -> AsyncIterator[str]:
    told = ""
    while not watcher.stopped:
        if watcher.version != told:
            told = watcher.version
            yield f"data: {told}\n\n"
            continue
        await watcher.changed(HEARTBEAT)
        if watcher.version == told:
            yield ": still here\n\n"


class _Files(StaticFiles):
    """The site's files as a web server gives them: ``index.html`` of folders, ``404.html``, ranges."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if any(part.startswith(".") and part not in (".", ".well-known") for part in PurePath(path).parts):
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        if isinstance(response, FileResponse):
            kind = TYPES.get(PurePath(response.path).suffix.lower())
            if kind == TYPES[".html"]:
                text = await asyncio.to_thread(Path(response.path).read_text, "utf-8", "replace")
                return HTMLResponse(reloading(text), response.status_code, headers=FRESH)
            response.headers["content-type"] = kind or response.headers["content-type"]
        response.headers["cache-control"] = "no-cache"
        return response
