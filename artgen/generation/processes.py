"""The pool of worker processes that the coordinator uses. Nothing here imports torch."""

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

from artgen.errors import ArtgenError, report_write_errors
from artgen.generation.chain import ENVIRONMENT_VARIABLES
from artgen.recipe import Lineage
from artgen.subprocesses import start_python


class WorkerBugError(RuntimeError):
    """A bug in a worker process; the message is the worker's traceback."""


class WorkerPool:
    """Worker processes that draw candidates, and one queue of their reports.

    Args:
        encoded_order: the first line that is sent to each worker, from ``WorkerOrder.encode``.
    """

    def __init__(self, encoded_order: str) -> None:
        self._encoded_order = encoded_order
        self._processes: list[_WorkerProcess] = []
        self.reports: queue.SimpleQueue[tuple[int, dict[str, Any]]] = queue.SimpleQueue()
        """The number of a worker and its report; ``{"ended": True}`` when its output ends."""

    def start(self, count: int) -> None:
        """Start ``count`` more worker processes of a run."""
        for _ in range(count):
            worker_number = len(self._processes)
            self._processes.append(_WorkerProcess(worker_number, self._encoded_order, self.reports))

    def __len__(self) -> int:
        return len(self._processes)

    def assign_candidate(self, worker_number: int, lineage: Lineage) -> None:
        """Send a candidate's number to a worker, which draws it."""
        self._processes[worker_number].send_line(json.dumps([lineage.number, *lineage.ancestors]))

    def explain_exit(self, worker_number: int) -> Exception:
        """Return an error that says why a worker ended unexpectedly."""
        return self._processes[worker_number].explain_exit()

    def stop(self) -> None:
        """Kill all workers; unfinished candidates are lost."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.close()


class _WorkerProcess:
    """One worker process and the thread that forwards its reports."""

    def __init__(
        self, worker_number: int, encoded_order: str, reports: queue.SimpleQueue[tuple[int, dict[str, Any]]]
    ) -> None:
        # Warnings of libraries must not disturb the progress bars; they are shown after a crash.
        with report_write_errors(Path(tempfile.gettempdir())):
            self._stderr_file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        self._process = start_python(
            "artgen.generation.worker",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr_file,
            environment=ENVIRONMENT_VARIABLES,
        )
        threading.Thread(target=self._forward_reports, args=(worker_number, reports), daemon=True).start()
        self.send_line(encoded_order)

    def _forward_reports(
        self, worker_number: int, reports: queue.SimpleQueue[tuple[int, dict[str, Any]]]
    ) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as worker_output:
            for line in worker_output:
                try:
                    reports.put((worker_number, json.loads(line)))
                except ValueError:  # cut short: the worker was killed while it wrote
                    break
        reports.put((worker_number, {"ended": True}))

    def send_line(self, line: str) -> None:
        assert self._process.stdin is not None
        # Writing to a worker that has ended fails; its end is reported through its output.
        with contextlib.suppress(OSError):
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def explain_exit(self) -> Exception:
        exit_code = self._process.wait()
        self._stderr_file.seek(0)
        error_text = self._stderr_file.read()[-4000:].decode("utf-8", "replace").strip()
        if exit_code < 0:
            signal_name = signal.Signals(-exit_code).name
            expected = "fewer workers need less memory; what is finished is kept"
            return ArtgenError(
                "a worker", f"was ended by {signal_name}, as when memory runs out", expected, "--workers 1"
            )
        return WorkerBugError(f"a worker ended by itself (code {exit_code})\n{error_text}")

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._stderr_file.close()
