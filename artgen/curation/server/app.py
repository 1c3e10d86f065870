"""The sheet's server as an ASGI application, and how it is run until Ctrl-C."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from artgen.curation.ranking.ranking import TooSoonError
from artgen.curation.server.auth import Gate
from artgen.curation.server.child_process import Start
from artgen.curation.server.routes import FRESH, ROUTES
from artgen.curation.server.session import Sitting
from artgen.errors import ArtgenError, WriteError
from artgen.runs.database import HeldError

HOST = "127.0.0.1"
OWN_PORTS = range(20_000, 30_000)
"""Below those that systems hand out by themselves, and seldom anybody else's."""
SWITCH = 0.0005
ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""SIGHUP: the terminal was closed. Windows has none."""


@dataclass(frozen=True)
class Address:
    """Where the server is.

    Args:
        listening: its socket; connections wait there until it serves.
        port: the port.
    """

    listening: socket.socket
    port: int


def listen(port: int) -> Address:
    """Take a port of this machine; 0 takes a free one.

    Raises:
        ArtgenError: it is in use, or may not be used.
    """
    # With the protocol named, or asyncio leaves out TCP_NODELAY, and each answer takes 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers have one port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        found = f"cannot be used ({error.strerror or error})"
        right = "another number, or leave --port out for a free one"
        raise ArtgenError(f"port {port}", found, right) from error
    return Address(listening, listening.getsockname()[1])


def listen_for(folder: Path) -> Address:
    """Take the port that a run always has, or a free one if that is taken.

    What a page could not send is kept by its address: the same address again, and it is sent.
    """
    key = hashlib.sha256(os.fsencode(folder.resolve())).digest()
    try:
        return listen(OWN_PORTS.start + int.from_bytes(key[:4], "big") % len(OWN_PORTS))
    except ArtgenError:
        return listen(0)


def serve(folder: Path, address: Address, vary: Start, ready: Callable[[str], None]) -> None:
    """Serve the run in ``folder`` until Ctrl-C.

    Args:
        folder: the run's.
        address: from ``listen``.
        vary: starts the process that makes queued variations.
        ready: is given the address to open, once, before the first request is answered.
    """
    sitting = Sitting(folder, vary)
    gate = Gate(_app(sitting), address.port)
    config = uvicorn.Config(
        gate,
        access_log=False,
        log_config=None,
        log_level="error",
        server_header=False,
        proxy_headers=False,
        ws="none",
        http="h11",
        loop="asyncio",
        timeout_keep_alive=600,  # an artist looks for a while, then the key must not wait for a connection
        timeout_graceful_shutdown=1,
    )
    # Saving gives up the interpreter's lock at each access to the disk; by default it then waits 5 ms for
    # each return while thumbnails are sent.
    sys.setswitchinterval(SWITCH)
    server = _Server(config, sitting)
    try:
        with server.hearing():
            ready(f"http://{HOST}:{address.port}/?token={gate.token}")
            server.run(sockets=[address.listening])
    finally:
        sitting.stop()


def _app(sitting: Sitting) -> Starlette:
    @contextlib.asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        sitting.open()
        try:
            yield
        finally:
            await sitting.close()

    app = Starlette(
        routes=ROUTES,
        lifespan=life,
        exception_handlers={
            HTTPException: _refused,
            TooSoonError: _too_soon,
            ArtgenError: _wrong,
            Exception: _bug,
        },
    )
    app.state.sitting = sitting
    return app


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, sitting: Sitting) -> None:
        super().__init__(config)
        self._sitting = sitting

    @contextlib.contextmanager
    def hearing(self) -> Iterator[None]:
        """Be ended in order by Ctrl-C and the like from now on.

        uvicorn hears them only once its event loop runs; while that is being made Ctrl-C would break it.
        """
        before = {number: signal.signal(number, self.handle_exit) for number in ENDING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in order, which takes seconds at most: a second Ctrl-C does not break that off."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._sitting.leave()  # streams would be waited for
        await super().shutdown(sockets)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, headers=FRESH)


async def _too_soon(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 409, headers=FRESH)


async def _wrong(_: Request, error: Exception) -> Response:
    # What may be better in a moment, a full disk or a busy file, is tried again by the page.
    if isinstance(error, WriteError | HeldError):
        # For the page's header, short; what would be right is said for a command, which has to be run again.
        words = f"{Path(error.where).name}: {error.found}"
        return JSONResponse({"error": words}, 503, headers=FRESH)
    return JSONResponse({"error": str(error)}, 400, headers=FRESH)


async def _bug(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": f"a bug of artgen: {error!r}"}, 500, headers=FRESH)
