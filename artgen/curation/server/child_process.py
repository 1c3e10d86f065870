"""A process next to the server, so that its work cannot delay a key press; it ends with the server."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import IO

StartProcess = Callable[[IO[bytes]], subprocess.Popen[bytes]]
"""Starts a process, in a process group of its own, that writes its output to the file."""
EXIT_GRACE_SECONDS = 1.0
MAX_KEPT_OUTPUT_BYTES = 2000


class ChildProcess:
    """At most one process next to the contact sheet's server, which can be started again.

    Args:
        start_process: starts it.
    """

    def __init__(self, start_process: StartProcess) -> None:
        self._start_process = start_process
        self._running: tuple[subprocess.Popen[bytes], IO[bytes]] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the process runs and ``take_exit`` or ``stop`` has not reported its end yet."""
        return self._running is not None

    def start(self) -> None:
        """Start the process next to the server unless it is running.

        Raises:
            OSError: it cannot be started.
        """
        if self._running is None:
            output = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the process has ended)
            try:
                self._running = self._start_process(output), output
            except OSError:
                output.close()
                raise

    def take_exit(self) -> tuple[int, str] | None:
        """Return the process's exit code and end of output, once; None while it is running."""
        if self._running is None or self._running[0].poll() is None:
            return None
        process, output = self._running
        output.seek(0)
        output_end = output.read()[-MAX_KEPT_OUTPUT_BYTES:].decode("utf-8", "replace").strip()
        self._release(process, output)
        return process.returncode, output_end

    def stop(self, grace_seconds: float = EXIT_GRACE_SECONDS) -> None:
        """Interrupt the process next to the server; kill it after ``grace_seconds``."""
        if self._running is None:
            return
        process, output = self._running
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                process.terminate()
            else:
                process.send_signal(signal.SIGINT)
        try:
            process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._release(process, output)

    def _release(self, process: subprocess.Popen[bytes], output: IO[bytes]) -> None:
        if process.stdin is not None:
            process.stdin.close()
        output.close()
        self._running = None
