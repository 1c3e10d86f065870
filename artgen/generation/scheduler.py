"""The workers' working time: what is missing is handed out, what is finished is recorded."""

from __future__ import annotations

import base64
import contextlib
import queue
import shutil
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from artgen.errors import ArtgenError
from artgen.events import CandidateDone, CandidateFailed, Emit, MoreAsked, Note, StepProgress, StepStarted
from artgen.generation.existing import clean
from artgen.generation.processes import WorkerBugError, Workers
from artgen.generation.worker import Order
from artgen.recipe import Lineage
from artgen.runs.candidate import Candidate, png_file
from artgen.runs.rebuild import recover
from artgen.runs.stages import StageCache
from artgen.runs.store import Run
from artgen.subprocesses import usable_cores

TRIM_EVERY = 16
ASK_SECONDS = 0.5


@dataclass
class Outcome:
    """What became of a wish.

    Args:
        folder: the run's.
        made: candidates made now.
        failed: candidates that could not be made, each with the reason.
        candidates: every finished candidate of the run, by number.
        seconds: time taken.
    """

    folder: Path
    made: list[int] = field(default_factory=list)
    failed: dict[int, ArtgenError] = field(default_factory=dict)
    candidates: Sequence[Candidate] = ()
    seconds: float = 0.0


class Shift:
    """From the first worker's start until nothing is left to make.

    Args:
        run: what is worked for; its lock is held.
        order: what the workers are told first.
        missing: what to make, in this order.
        workers: processes; None takes one per core, or one on a GPU.
        outcome: told what was made and what failed.
        emit: told everything.
    """

    def __init__(
        self,
        run: Run,
        order: Order,
        missing: Sequence[Lineage],
        workers: int | None,
        outcome: Outcome,
        emit: Emit,
    ) -> None:
        self._run, self._order, self._outcome, self._emit = run, order, outcome, emit
        self._left, self._sooner = deque(missing), deque[Lineage]()
        self._open = len(missing)
        self._taken = {lineage.number for lineage in missing} | outcome.failed.keys()
        self._asked_at = 0.0
        self._most = workers or usable_cores()
        # Where there may be a GPU, the first worker says so before others are started, unless told how many.
        self._allowed = 1 if workers is None and self._perhaps_gpu() else self._most
        self._cache = StageCache(order.cache)
        self._crew = Workers(order.line())
        self._idle: list[int] = []

    def work(self) -> None:
        """Make everything, and the variations that are asked for meanwhile."""
        self._cache.trim()
        try:
            self._staff()
            while self._open or self._ask():
                # With a timeout, so that Ctrl-C is heard on every system.
                with contextlib.suppress(queue.Empty):
                    self._hear(*self._crew.reports.get(timeout=ASK_SECONDS))
                if self._idle and time.monotonic() - self._asked_at >= ASK_SECONDS:
                    self._ask()
        finally:
            self._crew.stop()
            clean(self._run.folder)
            self._cache.trim()

    def _staff(self) -> None:
        """Start workers for what is to be made, as far as they are allowed."""
        self._crew.start(max(0, min(self._allowed, self._open) - len(self._crew)))

    def _perhaps_gpu(self) -> bool:
        if self._order.device != "auto":
            return self._order.device != "cpu"
        return sys.platform == "darwin" or shutil.which("nvidia-smi") is not None or Path("/dev/kfd").exists()

    def _ask(self) -> bool:
        """Take the variations that are asked for since; they come first, since somebody waits for them."""
        self._asked_at = time.monotonic()
        new = [lineage for lineage in self._run.waiting() if lineage.number not in self._taken]
        if not new:
            return False
        self._taken.update(lineage.number for lineage in new)
        self._sooner.extend(new)
        self._open += len(new)
        self._emit(MoreAsked(len(new)))
        self._staff()
        while self._idle and self._sooner:
            self._next(self._idle.pop())
        return True

    def _hear(self, number: int, report: dict[str, Any]) -> None:
        match report:
            case {"progress": [candidate, fraction]}:
                self._emit(StepProgress(candidate, fraction))
            case {"step": [candidate, step, place, of]}:
                self._emit(StepStarted(candidate, step, place, of))
            case {"ready": device}:
                if number == 0 and device == "cpu":
                    self._allowed = self._most
                    self._staff()
                self._next(number)
            case {"done": candidate, "seconds": seconds, "embedding": [name, vector]}:
                self._record(candidate, seconds, name, vector)
                self._free(number)
            case {"failed": candidate, "error": parts}:
                error = ArtgenError(*parts)
                if str(error) not in map(str, self._outcome.failed.values()):
                    self._emit(Note(f"candidate {candidate} failed: {error}"))
                self._outcome.failed[candidate] = error
                self._emit(CandidateFailed(candidate, str(error)))
                self._open -= 1
                self._free(number)
            case {"refused": parts}:
                raise ArtgenError(*parts)
            case {"bug": text}:
                raise WorkerBugError(f"in a worker:\n{text}")
            case {"ended": True}:
                raise self._crew.death(number)

    def _free(self, number: int) -> None:
        self._ask()
        self._next(number)

    def _next(self, number: int) -> None:
        if waiting := self._sooner or self._left:
            self._crew.tell(number, waiting.popleft())
        else:
            self._idle.append(number)

    def _record(self, index: int, seconds: float, name: str, vector: str) -> None:
        import numpy as np

        found = recover(self._run.folder, index, self._order.job.recipe.digest(), seconds)
        if found is None:
            file = png_file(self._run.folder, index)
            raise ArtgenError(str(file), "is gone or was changed as soon as it was made", "run it again")
        self._run.add(found)
        self._run.embed(index, name, np.frombuffer(base64.b64decode(vector), "<f2").astype(np.float32))
        self._outcome.made.append(index)
        self._open -= 1
        self._emit(CandidateDone(index, str(found.file), seconds))
        if len(self._outcome.made) % TRIM_EVERY == 0:
            self._cache.trim()
