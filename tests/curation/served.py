"""The real ``artgen curate`` in a process of its own, and an HTTP client that behaves like the page."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 10.0


class CurateProcess:
    """A running ``artgen curate RUN``.

    Args:
        run: the run's folder.
        arguments: more arguments of the command.
    """

    def __init__(self, run: Path, *arguments: str) -> None:
        self.run = run
        self.stderr_path = run.parent / f"{uuid.uuid4().hex}.txt"
        with self.stderr_path.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "artgen", "curate", str(run), "--no-browser", "--json", *arguments],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            )
        assert self.process.stdout is not None
        self.ready_data = json.loads(self.process.stdout.readline() or "{}")
        self.url = str(self.ready_data.get("url", ""))
        self.port = urlsplit(self.url).port or 0

    def client(self) -> Client:
        """Return a client that has used the token."""
        client = Client(self.port)
        client.sign_in(self.url)
        return client

    def new_tab(self, client: Client) -> Client:
        """Return another tab of the same browser."""
        tab = Client(self.port)
        tab.cookie = client.cookie
        return tab

    def stop(self) -> tuple[int, float]:
        """Press Ctrl-C; return the exit code, and the seconds until the process ended."""
        started_at = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        exit_code = self.process.wait(TIMEOUT_SECONDS)
        self._close_output()
        return exit_code, time.monotonic() - started_at

    def kill(self) -> None:
        """Kill the process if it is still running."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._close_output()

    def _close_output(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()


class Client:
    """An HTTP client with a browser's headers and cookie.

    Args:
        port: the server's port.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookie = ""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)

    def __del__(self) -> None:
        self._connection.close()  # many tests use a client for one request

    def sign_in(self, url: str) -> None:
        """Use the one-time token."""
        address = urlsplit(url)
        status, headers, _ = self.request("GET", f"{address.path}?{address.query}")
        assert status == 200
        self.cookie = headers["set-cookie"].partition(";")[0]

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send any request; ``headers`` replace those of a browser, None omits one."""
        all_headers: dict[str, str | None] = {"host": f"127.0.0.1:{self.port}", "cookie": self.cookie or None}
        if method == "POST":
            all_headers |= {"origin": f"http://127.0.0.1:{self.port}", "content_type": "application/json"}
        all_headers |= headers
        sent_headers = {
            name.replace("_", "-"): value for name, value in all_headers.items() if value is not None
        }
        connection = self._connection
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in sent_headers.items():
            connection.putheader(name, value)
        if body is not None and "content-length" not in sent_headers:
            connection.putheader("content-length", str(len(body)))
        try:
            connection.endheaders(body)
            response = connection.getresponse()
            content = response.read()
        except OSError:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, content

    def get(self, path: str, expected: int = 200) -> Any:
        """Return the JSON of an address."""
        status, _, content = self.request("GET", path)
        assert status == expected, content
        return json.loads(content)

    def post(self, path: str, body: object, expected: int = 200) -> Any:
        """Post JSON as the page does; return the response's JSON."""
        status, _, content = self.request("POST", path, json.dumps(body).encode())
        assert status == expected, content
        return json.loads(content)

    def decide(self, *rows: tuple[int, str, Any], action: str | None = None) -> Any:
        """Send decisions as one action."""
        action = action or uuid.uuid4().hex
        return self.post("/api/decisions", {"action": action, "view": "sheet run", "rows": rows})


class EventListener:
    """A stream of server-sent events, read in a thread.

    Args:
        client: the client whose cookie it uses.
        cursor: events after this one are read.
    """

    def __init__(self, client: Client, cursor: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
        self._connection.request("GET", f"/api/events?cursor={cursor}", headers={"Cookie": client.cookie})
        assert self._connection.sock is not None
        self._socket = self._connection.sock
        self._response = self._connection.getresponse()
        assert self._response.status == 200
        assert self._response.headers["content-type"].startswith("text/event-stream")
        self.ended = threading.Event()
        self._events: queue.Queue[tuple[str, str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        event: dict[str, str] = {}
        try:
            for line in self._response:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif event.keys() >= {"id", "event", "data"}:
                    self._events.put((event["event"], event["id"], json.loads(event["data"])))
                    event = {}
        except (OSError, ValueError, http.client.HTTPException):
            pass
        self._response.close()
        self._connection.close()
        self.ended.set()

    def next(
        self,
        expected_name: str,
        matches: Callable[[Any], bool] = lambda _: True,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> tuple[str, Any]:
        """Wait for the next event of this name whose data matches; return its id and data."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            event_name, event_id, data = self._events.get(timeout=max(0.01, deadline - time.monotonic()))
            if event_name == expected_name and matches(data):
                return event_id, data

    def close(self) -> None:
        """Close the tab."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.ended.wait(TIMEOUT_SECONDS)
