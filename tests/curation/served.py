"""The real ``artgen curate`` in a process of its own, and a client that speaks to it as the page does."""

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
PATIENCE = 10.0


class Served:
    """``artgen curate RUN``, from its first line to its end.

    Args:
        run: the run's folder.
        arguments: more of the command line.
    """

    def __init__(self, run: Path, *arguments: str) -> None:
        self.run = run
        self.errors = run.parent / f"{uuid.uuid4().hex}.txt"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "artgen", "curate", str(run), "--no-browser", "--json", *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            )
        assert self.process.stdout is not None
        self.said = json.loads(self.process.stdout.readline() or "{}")
        self.url = str(self.said.get("url", ""))
        self.port = urlsplit(self.url).port or 0

    def client(self) -> Client:
        """A client that has used the token."""
        client = Client(self.port)
        client.enter(self.url)
        return client

    def twin(self, client: Client) -> Client:
        """Another tab of the same browser."""
        twin = Client(self.port)
        twin.cookie = client.cookie
        return twin

    def stop(self) -> tuple[int, float]:
        """Ctrl-C: the exit code, and the seconds that it took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE)
        return code, time.monotonic() - begun

    def end(self) -> None:
        """See that it has ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Client:
    """A browser's side.

    Args:
        port: the server's.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookie = ""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def enter(self, url: str) -> None:
        """Use the one-time token."""
        address = urlsplit(url)
        status, headers, _ = self.ask("GET", f"{address.path}?{address.query}")
        assert status == 200
        self.cookie = headers["set-cookie"].partition(";")[0]

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Any request; ``headers`` replace those of a browser, None leaves one out."""
        given: dict[str, str | None] = {"host": f"127.0.0.1:{self.port}", "cookie": self.cookie or None}
        if method == "POST":
            given |= {"origin": f"http://127.0.0.1:{self.port}", "content_type": "application/json"}
        given |= headers
        sent = {name.replace("_", "-"): value for name, value in given.items() if value is not None}
        connection = self._connection
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            connection.putheader(name, value)
        if body is not None and "content-length" not in sent:
            connection.putheader("content-length", str(len(body)))
        try:
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read()
        except OSError:
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

    def get(self, path: str, expected: int = 200) -> Any:
        """The JSON of an address."""
        status, _, content = self.ask("GET", path)
        assert status == expected, content
        return json.loads(content)

    def post(self, path: str, body: object, expected: int = 200) -> Any:
        """What the page posts, and the answer's JSON."""
        status, _, content = self.ask("POST", path, json.dumps(body).encode())
        assert status == expected, content
        return json.loads(content)

    def decide(self, *rows: tuple[int, str, Any], action: str | None = None) -> Any:
        """Decide, as one action."""
        action = action or uuid.uuid4().hex
        return self.post("/api/decisions", {"action": action, "view": "sheet run", "rows": rows})


class Listener:
    """A stream of server-sent events, read in a thread.

    Args:
        client: whose cookie it uses.
        cursor: where it begins.
    """

    def __init__(self, client: Client, cursor: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
        self._connection.request("GET", f"/api/events?cursor={cursor}", headers={"Cookie": client.cookie})
        assert self._connection.sock is not None
        self._socket = self._connection.sock
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200
        assert self._answer.headers["content-type"].startswith("text/event-stream")
        self.ended = threading.Event()
        self._events: queue.Queue[tuple[str, str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        event: dict[str, str] = {}
        try:
            for line in self._answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif event.keys() >= {"id", "event", "data"}:
                    self._events.put((event["event"], event["id"], json.loads(event["data"])))
                    event = {}
        except (OSError, ValueError, http.client.HTTPException):
            pass
        self.ended.set()

    def next(
        self, kind: str, true: Callable[[Any], bool] = lambda _: True, patience: float = PATIENCE
    ) -> tuple[str, Any]:
        """The id and the data of the next event of a kind for which something is true."""
        until = time.monotonic() + patience
        while True:
            found, at, data = self._events.get(timeout=max(0.01, until - time.monotonic()))
            if found == kind and true(data):
                return at, data

    def close(self) -> None:
        """Close the tab."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.ended.wait(PATIENCE)
