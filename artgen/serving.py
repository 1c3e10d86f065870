"""Run a web application on this computer: take a port, serve until Ctrl-C."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from artgen.errors import ArtgenError
from artgen.signals import stop_signals_handled

if TYPE_CHECKING:
    from starlette.types import ASGIApp

LOCAL_HOST = "127.0.0.1"
BACKLOG_CONNECTIONS = 128
KEEP_ALIVE_SECONDS = 600  # a person looks for a while; the next key must not wait for a new connection


def listen(port: int) -> socket.socket:
    """Take a port of this computer for a web application; connections wait there until it is served.

    Args:
        port: its number; 0 takes a free one.

    Raises:
        ArtgenError: the port is in use, or must not be used.
    """
    # With the protocol named, or asyncio leaves out TCP_NODELAY, and each response takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOCAL_HOST, port))
        listener.listen(BACKLOG_CONNECTIONS)
    except OSError as error:
        listener.close()
        reason = f"cannot be used ({error.strerror or error})"
        raise ArtgenError(f"port {port}", reason, "another number, or leave --port out") from error
    return listener


def base_url(listener: socket.socket) -> str:
    """Return the address of what is served at this socket, with a slash at its end."""
    return f"http://{LOCAL_HOST}:{listener.getsockname()[1]}/"


def serve(
    app: ASGIApp, listener: socket.socket, *, ready: Callable[[], None], stop_streams: Callable[[], None]
) -> None:
    """Serve the web application ``app`` until Ctrl-C, SIGTERM or a closed terminal.

    Args:
        app: the application.
        listener: from ``listen``.
        ready: called once, before the first request is answered.
        stop_streams: ends responses without an end, which shutting down would wait for.
    """
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        log_level="error",
        server_header=False,
        proxy_headers=False,
        ws="none",
        http="h11",
        loop="asyncio",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config, stop_streams)
    # uvicorn handles signals only once its event loop runs; while that is created Ctrl-C would break it.
    with stop_signals_handled(lambda number: server.handle_exit(number, None)):
        ready()
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """A uvicorn server that stops in order at the first signal, and at every later one."""

    def __init__(self, config: uvicorn.Config, stop_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._stop_streams = stop_streams

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop in order, which takes seconds at most; a second Ctrl-C does not interrupt that."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stop_streams()
        await super().shutdown(sockets)
