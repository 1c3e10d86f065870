"""The run as a server has it: one thread does everything that reads or writes it, in the order asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from artgen.runs.store import Run

T = TypeVar("T")


class Keeper:
    """Holds a run open.

    Args:
        folder: the run's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._thread = ThreadPoolExecutor(1, "run")
        self._run: Run | None = None

    async def do(self, work: Callable[[Run], T]) -> T:
        """Let the thread do something with the run, after everything asked before."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._opened()))

    def _opened(self) -> Run:
        if self._run is not None and self._run.replaced():  # deleted, or put back from a copy
            self._run.close()
            self._run = None
        if self._run is None:
            self._run = Run.open(self.folder)  # in the thread that uses it
        return self._run

    def close(self) -> None:
        """Finish what was asked and close the run."""
        if self._run is not None:
            self._thread.submit(self._run.close)
            self._run = None
        self._thread.shutdown()
