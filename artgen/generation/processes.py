"""The worker processes, as the coordinator holds them. Nothing here imports torch."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

from artgen.errors import ArtgenError, WriteError
from artgen.generation.chain import ENVIRONMENT
from artgen.recipe import Lineage
from artgen.subprocesses import start_python


class WorkerBugError(RuntimeError):
    """A worker met a bug; the message is its traceback."""


class Workers:
    """Worker processes and one queue of what they report.

    Args:
        order: the first line that each is told.
    """

    def __init__(self, order: str) -> None:
        self._order = order
        self._processes: list[_Process] = []
        self.reports: queue.SimpleQueue[tuple[int, dict[str, Any]]] = queue.SimpleQueue()
        """The number of a worker and what it said; ``{"ended": True}`` when its output ends."""

    def start(self, count: int) -> None:
        """Start ``count`` more workers."""
        for _ in range(count):
            number = len(self._processes)
            self._processes.append(_Process(number, self._order, self.reports))

    def __len__(self) -> int:
        return len(self._processes)

    def tell(self, number: int, candidate: Lineage) -> None:
        """Let a worker make a candidate."""
        self._processes[number].tell(json.dumps([candidate.number, *candidate.ancestors]))

    def death(self, number: int) -> Exception:
        """Why a worker that ended by itself did so."""
        return self._processes[number].death()

    def stop(self) -> None:
        """End all workers at once; what they were making is lost, nothing partial stays."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.close()


class _Process:
    def __init__(
        self, number: int, order: str, reports: queue.SimpleQueue[tuple[int, dict[str, Any]]]
    ) -> None:
        # Warnings of libraries must not run through the progress bars; they are shown after a crash.
        try:
            self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        except OSError as error:
            raise WriteError(Path(tempfile.gettempdir()), error.strerror or str(error)) from error
        self._process = start_python(
            "artgen.generation.worker",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            environment=ENVIRONMENT,
        )
        threading.Thread(target=self._relay, args=(number, reports), daemon=True).start()
        self.tell(order)

    def _relay(self, number: int, reports: queue.SimpleQueue[tuple[int, dict[str, Any]]]) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                reports.put((number, json.loads(line)))
            except ValueError:  # cut short: the worker was killed while it spoke
                break
        reports.put((number, {"ended": True}))

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        # A worker that is gone cannot be told anything; its end is reported in its own way.
        with contextlib.suppress(OSError):
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def death(self) -> Exception:
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read()[-4000:].decode("utf-8", "replace").strip()
        if code < 0:
            name = signal.Signals(-code).name
            right = "fewer workers need less memory; what is finished is kept"
            return ArtgenError(
                "a worker", f"was ended by {name}, as when memory runs out", right, "--workers 1"
            )
        return WorkerBugError(f"a worker ended by itself (code {code})\n{said}")

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._errors.close()
