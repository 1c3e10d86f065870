"""A process next to the server, so that its work cannot delay a key press; it ends with the server."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

StartProcess = Callable[[IO[bytes]], subprocess.Popen[bytes]]
"""Starts a process, in a process group of its own, that writes its output to the file."""
GRACE_SECONDS = 1.0
MAX_OUTPUT_BYTES = 2000


@dataclass(frozen=True)
class ProcessExit:
    """How a process ended by itself.

    Args:
        exit_code: its exit code.
        output: the end of its output.
    """

    exit_code: int
    output: str


class ChildProcess:
    """At most one running process, which can be started again after it has ended.

    Args:
        start_process: starts it.
    """

    def __init__(self, start_process: StartProcess) -> None:
        self._start_process = start_process
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and ``take_exit`` or ``stop`` has not reported its end yet."""
        return self._process is not None

    def start(self) -> None:
        """Start the process unless it is running.

        Raises:
            OSError: it cannot be started.
        """
        if self._process is None:
            output = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the process has ended)
            try:
                self._process, self._output = self._start_process(output), output
            except OSError:
                output.close()
                raise

    def take_exit(self) -> ProcessExit | None:
        """Return how the process ended, once; None while it is running, or when there is none."""
        if self._process is None or self._output is None or self._process.poll() is None:
            return None
        self._output.seek(0)
        output = self._output.read()[-MAX_OUTPUT_BYTES:].decode("utf-8", "replace").strip()
        exit_code = self._process.returncode
        self._release(self._process, self._output)
        return ProcessExit(exit_code, output)

    def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Interrupt the process, so that it ends its own processes; kill it after ``grace_seconds``."""
        if self._process is None or self._output is None:
            return
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._process.terminate()
            else:
                self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._release(self._process, self._output)

    def _release(self, process: subprocess.Popen[bytes], output: IO[bytes]) -> None:
        if process.stdin is not None:
            process.stdin.close()
        output.close()
        self._process = self._output = None
