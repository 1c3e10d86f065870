"""The thread that does everything the server reads from and writes to the run, one call at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from artgen.runs.store import Run

ResultT = TypeVar("ResultT")


class RunThread:
    """A thread that has a run open and calls functions with it, one after the other.

    Args:
        run_folder: the run's folder.
    """

    def __init__(self, run_folder: Path) -> None:
        self.run_folder = run_folder
        self._executor = ThreadPoolExecutor(1, "run")
        self._run: Run | None = None

    async def call(self, function: Callable[[Run], ResultT]) -> ResultT:
        """Call a function with the run in the thread, after all earlier calls, and return its result."""
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, lambda: function(self._current_run())
        )

    def _current_run(self) -> Run:
        if self._run is not None and self._run.database.is_replaced():  # deleted, or restored from a copy
            self._run.close()
            self._run = None
        if self._run is None:
            self._run = Run.open(self.run_folder)  # in the thread that uses it
        return self._run

    def close(self) -> None:
        """Finish the calls made so far and close the run."""
        if self._run is not None:
            self._executor.submit(self._run.close)
            self._run = None
        self._executor.shutdown()
