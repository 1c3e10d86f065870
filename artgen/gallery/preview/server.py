"""Local web server for previewing a site before it is published, with live reload."""

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
from artgen.gallery.preview.livereload import PREVIEW_URL_PATH, RELOAD_SCRIPT, add_reload_script
from artgen.gallery.preview.watcher import Watcher

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Scope

DEFAULT_PREVIEW_PORT = 8017
NO_STORE_HEADERS = {"cache-control": "no-store"}
STREAM_HEARTBEAT_SECONDS = 10.0  # seconds without news, after which a line keeps the stream open
_CANONICAL_LINK_PATTERN = re.compile(r'<link rel="canonical" href="([^"]*)"')
# Said here: what a system knows of types differs, and Windows lets programs change it.
MIME_TYPE_BY_ENDING = {
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
    """Listen on a local port for the preview.

    Args:
        port: 0 takes a free one; None the usual one, or a free one while that is in use.

    Raises:
        ArtgenError: it cannot be used.
    """
    if port is not None:
        return serving.listen(port)
    try:
        return serving.listen(DEFAULT_PREVIEW_PORT)
    except ArtgenError:
        return serving.listen(0)


def serve(watcher: Watcher, site: Path, listener: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve the preview of ``site`` until Ctrl-C.

    Args:
        watcher: of the site.
        site: its folder.
        listener: from ``listen``.
        ready: called with the address to open, once.
    """
    app = create_application(watcher, site)
    serving.serve(app, listener, ready=lambda: ready(serving.base_url(listener)), stop_streams=watcher.stop)


def create_application(watcher: Watcher, site: Path) -> Starlette:
    """Return the preview of a site as an ASGI application whose pages load again when it changes."""

    async def changes(_: Request) -> Response:
        return StreamingResponse(
            _stream_events(watcher), media_type="text/event-stream", headers=NO_STORE_HEADERS
        )

    async def script(_: Request) -> Response:
        return Response(RELOAD_SCRIPT, media_type=MIME_TYPE_BY_ENDING[".js"], headers=NO_STORE_HEADERS)

    @contextlib.asynccontextmanager
    async def lifespan_context(_: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(watcher.watch())
        yield
        watcher.stop()
        await watching

    site_files = _SiteFiles(directory=site, html=True)
    return Starlette(
        routes=[
            Route(f"{PREVIEW_URL_PATH}changes", changes),
            Route(f"{PREVIEW_URL_PATH}reload.js", script),
            *([Mount(base, site_files)] if (base := _find_base_path(site)) else []),
            Mount("/", site_files),
        ],
        # A name of somebody else's can lead here (DNS rebinding).
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[serving.LOCAL_HOST, "localhost"])],
        lifespan=lifespan_context,
    )


def _find_base_path(site: Path) -> str:
    """Return the site's folder on its server, such as ``/art``: its 404 page names files from there."""
    with contextlib.suppress(OSError, ValueError):
        match = _CANONICAL_LINK_PATTERN.search((site / "index.html").read_text("utf-8", "replace"))
        if match:
            return urlsplit(html.unescape(match[1])).path.rstrip("/")
    return ""


async def _stream_events(watcher: Watcher) -> AsyncIterator[str]:
    sent_version = ""
    while not watcher.stopped:
        if watcher.version != sent_version:
            sent_version = watcher.version
            yield f"data: {sent_version}\n\n"
            continue
        await watcher.wait_for_change(STREAM_HEARTBEAT_SECONDS)
        if watcher.version == sent_version:
            yield ": still here\n\n"


class _SiteFiles(StaticFiles):
    """The site's files as a web server gives them: ``index.html`` of folders, ``404.html``, ranges."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if any(part.startswith(".") and part not in (".", ".well-known") for part in PurePath(path).parts):
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        if isinstance(response, FileResponse):
            kind = MIME_TYPE_BY_ENDING.get(PurePath(response.path).suffix.lower())
            if kind == MIME_TYPE_BY_ENDING[".html"]:
                text = await asyncio.to_thread(Path(response.path).read_text, "utf-8", "replace")
                return HTMLResponse(add_reload_script(text), response.status_code, headers=NO_STORE_HEADERS)
            response.headers["content-type"] = kind or response.headers["content-type"]
        response.headers["cache-control"] = "no-cache"
        return response
