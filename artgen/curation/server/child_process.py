"""Work beside the server, in a process of its own: it cannot hold up a key, and it ends with the server."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

Start = Callable[[IO[bytes]], subprocess.Popen[bytes]]
"""Starts the process, in a process group of its own, with the file as its output."""
GRACE = 1.0
TOLD = 2000


@dataclass(frozen=True)
class Ended:
    """How a process ended by itself.

    Args:
        code: its exit code.
        said: the end of its output.
    """

    code: int
    said: str


class Background:
    """One process at a time.

    Args:
        start: starts it.
    """

    def __init__(self, start: Start) -> None:
        self._start = start
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it was begun, and its end was not heard of yet."""
        return self._process is not None

    def begin(self) -> None:
        """Start the process unless it runs.

        Raises:
            OSError: it cannot be started.
        """
        if self._process is None:
            output = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the process has ended)
            try:
                self._process, self._output = self._start(output), output
            except OSError:
                output.close()
                raise

    def ended(self) -> Ended | None:
        """How it ended, told once; None while it runs, or when there is none."""
        if self._process is None or self._output is None or self._process.poll() is None:
            return None
        self._output.seek(0)
        said = self._output.read()[-TOLD:].decode("utf-8", "replace").strip()
        code = self._process.returncode
        self._forget(self._process, self._output)
        return Ended(code, said)

    def stop(self, grace: float = GRACE) -> None:
        """End it: asked first, so that it ends its own processes, after ``grace`` seconds made to."""
        if self._process is None or self._output is None:
            return
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._process.terminate()
            else:
                self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._forget(self._process, self._output)

    def _forget(self, process: subprocess.Popen[bytes], output: IO[bytes]) -> None:
        if process.stdin is not None:
            process.stdin.close()
        output.close()
        self._process = self._output = None
