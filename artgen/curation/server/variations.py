"""Variations that were asked for on the page: queued in the run, made beside the server."""

from __future__ import annotations

from artgen.curation.server.child_process import Background, Start
from artgen.curation.server.run_thread import Keeper
from artgen.locks import is_held
from artgen.runs.store import Run


class Variations:
    """The queue of one run, and who works it off: a run that is at work anyway, or a process of ours.

    Args:
        keeper: the run.
        start: starts ``artgen vary RUN --queued``.
    """

    def __init__(self, keeper: Keeper, start: Start) -> None:
        self._keeper, self._process = keeper, Background(start)
        self._wanted = True  # what an earlier sitting asked for and nobody made
        self.drawing = is_held(keeper.folder)
        self.problem: str | None = None

    async def ask(self, parent: int, count: int) -> list[tuple[int, int]]:
        """Queue variations and see to it that somebody makes them; returns what is queued now.

        Raises:
            ArtgenError: the run has no such candidate.
        """

        def queue(run: Run) -> list[tuple[int, int]]:
            run.queue_variations(parent, count)
            return run.queued()

        queued = await self._keeper.do(queue)
        self._wanted, self.problem = True, None
        await self.look()
        return queued

    async def look(self) -> bool:
        """See who is at work, begin where nobody is; returns whether that changed."""
        before = self.drawing, self.problem
        busy = is_held(self._keeper.folder)
        end = self._process.ended()
        if end and end.code and not busy:
            self._wanted = False  # what is queued stays queued: the next wish tries again
            self.problem = end.said or f"artgen vary ended with code {end.code}"
        if self._wanted and not busy and not self._process.running:
            if await self._keeper.do(Run.queued):
                self._begin()
            else:
                self._wanted = False
        self.drawing = busy or self._process.running
        return (self.drawing, self.problem) != before

    def _begin(self) -> None:
        try:
            self._process.begin()
        except OSError as error:
            self._wanted, self.problem = False, f"artgen vary could not be started ({error})"

    def stop(self) -> None:
        """End the process of ours; what is queued stays queued."""
        self._process.stop()
