"""State that all requests share while the server runs: the run, event subscribers, background tasks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from artgen.curation.ranking.ranking import CandidateRanker
from artgen.curation.server.child_process import StartProcess
from artgen.curation.server.embed_missing import EmbeddingBackfill
from artgen.curation.server.run_thread import RunThread
from artgen.curation.server.variations import VariationQueue
from artgen.errors import ArtgenError
from artgen.runs.decisions import current_user_name

logger = logging.getLogger(__name__)
RUN_POLL_SECONDS = 0.2
"""Time between checks for what other processes have written."""


class CurationSession:
    """State of one ``artgen curate``, used by every request.

    Args:
        run_folder: the run's folder.
        start_variations: starts the process that draws queued variations.
    """

    def __init__(self, run_folder: Path, start_variations: StartProcess) -> None:
        self.artist_name = current_user_name()
        self.run_thread = RunThread(run_folder)
        self.variations = VariationQueue(self.run_thread, start_variations)
        self.ranker = CandidateRanker(self.run_thread)
        self.is_closing = asyncio.Event()
        self._embedding_backfill = EmbeddingBackfill(self.run_thread)
        self._subscribers: set[asyncio.Event] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._run_version = 0

    @contextlib.contextmanager
    def subscribe(self) -> Iterator[asyncio.Event]:
        """Provide an event that is set now, and again whenever there may be news."""
        has_news = asyncio.Event()
        has_news.set()
        self._subscribers.add(has_news)
        try:
            yield has_news
        finally:
            self._subscribers.discard(has_news)

    @property
    def expects_embeddings(self) -> bool:
        """Whether embeddings of candidates are still being computed or drawn."""
        return self.variations.is_drawing or not self._embedding_backfill.is_finished

    def notify(self) -> None:
        """Tell all subscribers and the ranker that there may be news."""
        for subscriber in self._subscribers:
            subscriber.set()
        self.ranker.notify()

    def start(self) -> None:
        """Start the tasks that poll the run and refit the taste while the contact sheet is served."""
        functions = (self._poll_run, self._poll_embeddings, self.ranker.refit_after_change)
        self._tasks = [asyncio.create_task(self._repeat(function)) for function in functions]

    def end_streams(self) -> None:
        """End the streams of events to browsers, because the server stops."""
        self.is_closing.set()
        for subscriber in self._subscribers:
            subscriber.set()

    async def close(self) -> None:
        """Stop the contact sheet's background tasks and close the run."""
        self.end_streams()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.stop()

    def stop(self) -> None:
        """Stop the processes next to the server and the threads of the ranker and the run."""
        self.variations.stop()
        self._embedding_backfill.stop()
        self.ranker.stop()
        self.run_thread.close()

    async def _repeat(self, function: Callable[[], Awaitable[None]]) -> None:
        """Call a function every ``RUN_POLL_SECONDS``; a bug in it is logged and ends only this task."""
        try:
            while True:
                try:
                    await function()
                except ArtgenError as error:  # a busy database or a full disk may be fine the next time
                    logger.warning("%s", error)
                await asyncio.sleep(RUN_POLL_SECONDS)
        except Exception:
            logger.exception("artgen curate continues without it")

    async def _poll_run(self) -> None:
        version = await self.run_thread.call(lambda run: run.database.data_version())
        if await self.variations.poll() or version != self._run_version:
            self._run_version = version
            self.notify()

    async def _poll_embeddings(self) -> None:
        if not self.variations.is_drawing:  # candidates that are drawn now come with their embeddings
            await self._embedding_backfill.poll()
