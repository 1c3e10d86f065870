"""A run from beginning to end: what is missing is handed to workers, what is finished is recorded.

This process never imports torch; it is the only one that adds candidates to the database.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from artgen.errors import ArtgenError
from artgen.events import (
    CandidateDone,
    CandidateFailed,
    Emit,
    Note,
    RunFinished,
    RunStarted,
    StepProgress,
    StepStarted,
)
from artgen.imaging.files import WriteError
from artgen.recipe import Recipe
from artgen.runs.candidate import png_file
from artgen.runs.find import ROOT
from artgen.runs.lock import held
from artgen.runs.rebuild import recover
from artgen.runs.stages import FOLDER as STAGE_CACHE
from artgen.runs.stages import StageCache
from artgen.runs.store import RECIPE_FOLDER, Run
from artgen.runs.used import fingerprint, name_of
from artgen.sampling.candidate import Job
from artgen.sampling.processes import WorkerBugError, Workers
from artgen.sampling.survey import clean, missing, renew_captions, tell_changes
from artgen.sampling.worker import Order

TRIM_EVERY = 16


@dataclass(frozen=True)
class Wish:
    """What is asked of a run.

    Args:
        candidates: make candidates 1 to this number; None takes the recipe's.
        only: make just these instead.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        preview: smaller and faster, into a folder of its own.
        workers: processes; None takes one per core, or one on a GPU.
        root: the folder that holds the runs.
    """

    candidates: int | None = None
    only: Sequence[int] | None = None
    device: str = "auto"
    preview: bool = False
    workers: int | None = None
    root: Path = ROOT


@dataclass
class Outcome:
    """What became of it.

    Args:
        folder: the run's.
        made: candidates made now.
        failed: candidates that could not be made, each with the reason.
        seconds: time taken.
    """

    folder: Path
    made: list[int] = field(default_factory=list)
    failed: dict[int, ArtgenError] = field(default_factory=dict)
    seconds: float = 0.0


def run_folder(recipe: Recipe, root: Path, *, preview: bool = False) -> Path:
    """Where the run of a recipe is kept: another recipe, seed or override has another folder."""
    ending = "-preview" if preview else ""
    return root / f"{recipe.path.stem}-{recipe.digest()[:8]}{ending}"


def sample(recipe: Recipe, wish: Wish, emit: Emit) -> Outcome:
    """Make the candidates that are wished for and not there yet.

    A candidate that fails does not keep the others from being made.

    Raises:
        ArtgenError: the run is busy, an input is missing, the device is not there, or the disk is full.
        WorkerBugError: a worker met a bug.
    """
    began = time.monotonic()
    folder = run_folder(recipe, wish.root, preview=wish.preview)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(folder, error.strerror or str(error)) from error
    with held(folder):
        clean(folder)
        with Run.create(folder, recipe) as run:
            job = Job(folder, recipe, fingerprint(_files(recipe), recipe.folder))
            run.remember(RECIPE_FOLDER, name_of(recipe.folder, folder))
            tell_changes(run, job, emit)
            renew_captions(run, recipe)
            wanted = wish.only or range(1, (wish.candidates or recipe.candidates) + 1)
            lacking = missing(run, job, wanted)
            emit(RunStarted(run.name, str(folder), len(wanted), len(wanted) - len(lacking)))
            outcome = Outcome(folder)
            if lacking:
                order = Order(job, wish.device, wish.preview, wish.root / STAGE_CACHE)
                _Shift(run, order, lacking, wish.workers, outcome, emit).work()
    outcome.seconds = time.monotonic() - began
    emit(RunFinished(str(folder), len(outcome.made), outcome.seconds))
    return outcome


def _files(recipe: Recipe) -> list[Path]:
    parts = [recipe.source, *recipe.steps]
    return list(dict.fromkeys(file for part in parts for file in part.files(recipe.folder)))


class _Shift:
    """The workers' working time: until nothing is left to make."""

    def __init__(
        self, run: Run, order: Order, missing: list[int], workers: int | None, outcome: Outcome, emit: Emit
    ) -> None:
        self._run, self._order, self._outcome, self._emit = run, order, outcome, emit
        self._left = list(reversed(missing))
        self._most = min(len(missing), workers or cores())
        # Where there may be a GPU, the first worker says so before others are started, unless told how many.
        self._first = 1 if workers is None and self._perhaps_gpu() else self._most
        self._cache = StageCache(order.cache)
        self._crew = Workers(order.line())
        self._open = len(missing)

    def work(self) -> None:
        self._cache.trim()
        try:
            self._crew.start(self._first)
            while self._open:
                # With a timeout, so that Ctrl-C is heard on every system.
                with contextlib.suppress(queue.Empty):
                    self._hear(*self._crew.reports.get(timeout=0.5))
        finally:
            self._crew.stop()
            clean(self._run.folder)
            self._cache.trim()

    def _perhaps_gpu(self) -> bool:
        if self._order.device != "auto":
            return self._order.device != "cpu"
        return sys.platform == "darwin" or shutil.which("nvidia-smi") is not None or Path("/dev/kfd").exists()

    def _hear(self, number: int, report: dict[str, Any]) -> None:
        match report:
            case {"progress": [candidate, fraction]}:
                self._emit(StepProgress(candidate, fraction))
            case {"step": [candidate, step, place, of]}:
                self._emit(StepStarted(candidate, step, place, of))
            case {"ready": device}:
                if number == 0 and device == "cpu":
                    self._crew.start(self._most - self._first)
                self._next(number)
            case {"done": candidate, "seconds": seconds}:
                self._record(candidate, seconds)
                self._next(number)
            case {"failed": candidate, "error": parts}:
                error = ArtgenError(*parts)
                if str(error) not in map(str, self._outcome.failed.values()):
                    self._emit(Note(f"candidate {candidate} failed: {error}"))
                self._outcome.failed[candidate] = error
                self._emit(CandidateFailed(candidate, str(error)))
                self._open -= 1
                self._next(number)
            case {"refused": parts}:
                raise ArtgenError(*parts)
            case {"bug": text}:
                raise WorkerBugError(f"in a worker:\n{text}")
            case {"ended": True}:
                raise self._crew.death(number)

    def _next(self, number: int) -> None:
        if self._left:
            self._crew.tell(number, self._left.pop())

    def _record(self, index: int, seconds: float) -> None:
        found = recover(self._run.folder, index, self._order.job.recipe.digest(), seconds)
        if found is None:
            file = png_file(self._run.folder, index)
            raise ArtgenError(str(file), "is gone or was changed as soon as it was made", "run it again")
        self._run.add(found)
        self._outcome.made.append(index)
        self._open -= 1
        self._emit(CandidateDone(index, str(found.file), seconds))
        if len(self._outcome.made) % TRIM_EVERY == 0:
            self._cache.trim()


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
