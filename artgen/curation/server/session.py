"""One sitting: the run, who listens, and what goes on beside, from the server's start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from artgen.curation.ranking.ranking import Knowledge
from artgen.curation.server.child_process import Start
from artgen.curation.server.embed_missing import Filling
from artgen.curation.server.run_thread import Keeper
from artgen.curation.server.variations import Variations
from artgen.errors import ArtgenError
from artgen.runs.decisions import artist
from artgen.runs.store import Run

logger = logging.getLogger(__name__)
TICK = 0.2
"""Seconds between looks at what other processes wrote."""


class Sitting:
    """What requests share.

    Args:
        folder: the run's.
        vary: starts the process that makes queued variations.
    """

    def __init__(self, folder: Path, vary: Start) -> None:
        self.who = artist()
        self.keeper = Keeper(folder)
        self.variations = Variations(self.keeper, vary)
        self.knowledge = Knowledge(self.keeper)
        self.closing = asyncio.Event()
        self._filling = Filling(self.keeper)
        self._listeners: set[asyncio.Event] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._version = 0

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever there may be news; it begins set."""
        fresh = asyncio.Event()
        fresh.set()
        self._listeners.add(fresh)
        try:
            yield fresh
        finally:
            self._listeners.discard(fresh)

    @property
    def expecting(self) -> bool:
        """Whether more embeddings are to come."""
        return self.variations.drawing or not self._filling.finished

    def wake(self) -> None:
        """There may be news: all who listen look."""
        for listener in self._listeners:
            listener.set()
        self.knowledge.wake()

    def open(self) -> None:
        """Begin to look after the run."""
        lookouts = (self._watch, self._fill, self.knowledge.keep_fitted)
        self._tasks = [asyncio.create_task(self._again(look)) for look in lookouts]

    def leave(self) -> None:
        """Let streams end; the server stops."""
        self.closing.set()
        for listener in self._listeners:
            listener.set()

    async def close(self) -> None:
        """Stop what goes on beside and close the run."""
        self.leave()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.stop()

    def stop(self) -> None:
        """End processes and threads."""
        self.variations.stop()
        self._filling.stop()
        self.knowledge.stop()
        self.keeper.close()

    async def _again(self, look: Callable[[], Awaitable[None]]) -> None:
        """Look every now and then; a bug ends this looking, with its traceback, and nothing else."""
        try:
            while True:
                try:
                    await look()
                except ArtgenError as error:  # the database is busy, the disk full: that passes
                    logger.warning("%s", error)
                await asyncio.sleep(TICK)
        except Exception:
            logger.exception("artgen curate goes on without it")

    async def _watch(self) -> None:
        version = await self.keeper.do(Run.version)
        if await self.variations.look() or version != self._version:
            self._version = version
            self.wake()

    async def _fill(self) -> None:
        if not self.variations.drawing:  # candidates that are made now come with theirs
            await self._filling.look()
