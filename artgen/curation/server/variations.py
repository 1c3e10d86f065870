"""The run's queue of variations, drawn by a process next to the server or by a run already at work."""

from __future__ import annotations

from artgen.curation.server.child_process import ChildProcess, StartProcess
from artgen.curation.server.run_thread import RunThread
from artgen.locks import is_folder_locked
from artgen.runs.store import Run


class VariationQueue:
    """Queues variations in the run and makes sure that a process draws them.

    Args:
        run_thread: the thread that has the run open.
        start_process: starts ``artgen vary RUN --queued``.

    Attributes:
        is_drawing: whether a process is drawing in the run's folder.
        problem: why queued variations are not drawn; None: no problem.
    """

    def __init__(self, run_thread: RunThread, start_process: StartProcess) -> None:
        self._run_thread, self._process = run_thread, ChildProcess(start_process)
        self._may_start = True  # an earlier session may have queued variations that nobody has drawn
        self.is_drawing = is_folder_locked(run_thread.run_folder)
        self.problem: str | None = None

    async def add(self, parent: int, count: int) -> list[tuple[int, int]]:
        """Queue variations of a candidate and make sure that a process draws them.

        Args:
            parent: the candidate's number.
            count: how many.

        Returns:
            Everything queued now, as (number, parent's number).

        Raises:
            ArtgenError: the run has no such candidate.
        """

        def queue_variations(run: Run) -> list[tuple[int, int]]:
            run.queue_variations(parent, count)
            return run.queued_variations()

        queued = await self._run_thread.call(queue_variations)
        self._may_start, self.problem = True, None
        await self.poll()
        return queued

    async def poll(self) -> bool:
        """Start the process if variations are queued and nothing draws; return whether the state changed."""
        before = self.is_drawing, self.problem
        is_busy = is_folder_locked(self._run_thread.run_folder)
        exit_code, output = self._process.take_exit() or (0, "")
        if exit_code and not is_busy:
            self._may_start = False  # what is queued stays queued: the next request tries again
            self.problem = output or f"artgen vary ended with code {exit_code}"
        if self._may_start and not is_busy and not self._process.is_running:
            self._may_start = bool(await self._run_thread.call(Run.queued_variations))
            try:
                if self._may_start:
                    self._process.start()
            except OSError as error:
                self._may_start, self.problem = False, f"artgen vary could not be started ({error})"
        self.is_drawing = is_busy or self._process.is_running
        return (self.is_drawing, self.problem) != before

    def stop(self) -> None:
        """Stop this server's drawing process; what is queued stays queued."""
        self._process.stop()
