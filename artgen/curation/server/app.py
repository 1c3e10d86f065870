"""The contact sheet's server: the ASGI application, and how it is served until Ctrl-C."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from artgen import serving
from artgen.curation.ranking.ranking import TooFewDecisionsError
from artgen.curation.server.auth import AuthMiddleware
from artgen.curation.server.child_process import StartProcess
from artgen.curation.server.routes import NO_STORE_HEADERS, ROUTES
from artgen.curation.server.session import CurationSession
from artgen.errors import ArtgenError, WriteError
from artgen.runs.database_errors import DatabaseBusyError

RUN_PORT_RANGE = range(20_000, 30_000)
"""Ports from which each run gets its own: below those that systems hand out, and seldom used by others."""
THREAD_SWITCH_SECONDS = 0.0005


def listen_on_run_port(run_folder: Path) -> socket.socket:
    """Take the port that always belongs to this run's contact sheet, or a free one if it is in use.

    A browser stores the decisions it could not send under the page's address; with the same address the
    page finds and sends them.
    """
    digest = hashlib.sha256(os.fsencode(run_folder.resolve())).digest()
    try:
        return serving.listen(RUN_PORT_RANGE.start + int.from_bytes(digest[:4], "big") % len(RUN_PORT_RANGE))
    except ArtgenError:
        return serving.listen(0)


def serve(
    run_folder: Path,
    listener: socket.socket,
    start_variations: StartProcess,
    on_ready: Callable[[str], None],
) -> None:
    """Serve the contact sheet of a run until Ctrl-C.

    Args:
        run_folder: the run's folder.
        listener: from ``serving.listen`` or ``listen_on_run_port``.
        start_variations: starts the process that draws queued variations.
        on_ready: called with the address to open, once, before the first request is answered.
    """
    session = CurationSession(run_folder, start_variations)
    auth = AuthMiddleware(_build_app(session), listener.getsockname()[1])
    # Saving releases the interpreter's lock at each access to the disk, and while thumbnails are sent, it
    # would by default wait 5 ms each time to get the lock back.
    sys.setswitchinterval(THREAD_SWITCH_SECONDS)
    try:
        serving.serve(
            auth,
            listener,
            ready=lambda: on_ready(f"{serving.base_url(listener)}?token={auth.token}"),
            stop_streams=session.end_streams,
        )
    finally:
        session.stop()


def _build_app(session: CurationSession) -> Starlette:
    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        session.start()
        try:
            yield
        finally:
            await session.close()

    app = Starlette(
        routes=ROUTES,
        lifespan=lifespan,
        exception_handlers=dict.fromkeys((HTTPException, ArtgenError, Exception), _respond_error),
    )
    app.state.session = session
    return app


async def _respond_error(_: Request, error: Exception) -> Response:
    headers: Mapping[str, str] = NO_STORE_HEADERS
    match error:
        case HTTPException():
            status, message, headers = error.status_code, error.detail, {**headers, **(error.headers or {})}
        case TooFewDecisionsError():
            status, message = 409, str(error)
        case WriteError() | DatabaseBusyError():
            # The page tries again after a 503: a full disk or a busy file may be fine in a moment. Without
            # the hint, which is meant for a command that has to be run again: the page's header is short.
            status, message = 503, f"{Path(error.where).name}: {error.problem}"
        case ArtgenError():
            status, message = 400, str(error)
        case _:
            status, message = 500, f"a bug of artgen: {error!r}"
    return JSONResponse({"error": message}, status, headers=headers)
