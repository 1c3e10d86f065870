"""The scheduler of a run: assigns missing candidates to workers and records finished ones."""

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
from artgen.events import (
    CandidateDone,
    CandidateFailed,
    CandidatesAdded,
    Emit,
    Note,
    StepProgress,
    StepStarted,
)
from artgen.generation.processes import WorkerBugError, WorkerPool
from artgen.generation.worker import WorkerOrder
from artgen.imaging.io.files import sweep
from artgen.memory import affordable_workers
from artgen.recipe import Lineage
from artgen.runs.candidate import (
    CANDIDATES_FOLDER,
    STAGES_FOLDER,
    THUMBNAILS_FOLDER,
    Candidate,
    candidate_png_path,
)
from artgen.runs.rebuild import recover_candidate
from artgen.runs.stages import StageCache
from artgen.runs.store import Run
from artgen.subprocesses import count_usable_cores

CANDIDATES_PER_CACHE_TRIM = 16
WORKER_POLL_SECONDS = 0.5


@dataclass
class RunResult:
    """What a request to draw candidates has achieved: counts, failures, and the next steps.

    Args:
        run_folder: the folder of the run.
        generated_numbers: numbers of the candidates that were generated now.
        errors: why candidates could not be generated, by number.
        candidates: every finished candidate of the run, sorted by number.
        seconds: time taken.
    """

    run_folder: Path
    generated_numbers: list[int] = field(default_factory=list)
    errors: dict[int, ArtgenError] = field(default_factory=dict)
    candidates: Sequence[Candidate] = ()
    seconds: float = 0.0


class Scheduler:
    """Starts workers, assigns candidates to them, and records what they report.

    Args:
        run: the run; the caller holds its lock.
        order: the first message to each worker.
        missing: the candidates to generate, in this order.
        worker_count: worker processes; None takes one per core, or one on a GPU.
        worker_bytes: memory that a worker takes; fewer workers are started if it does not suffice.
        result: receives the numbers of generated candidates and the errors.
        emit: takes every event.
    """

    def __init__(
        self,
        run: Run,
        order: WorkerOrder,
        missing: Sequence[Lineage],
        worker_count: int | None,
        worker_bytes: int,
        result: RunResult,
        emit: Emit,
    ) -> None:
        self._run, self._order, self._result, self._emit = run, order, result, emit
        self._missing, self._new_variations = deque(missing), deque[Lineage]()
        self._unfinished_count = len(missing)
        self._scheduled_numbers = {lineage.number for lineage in missing} | result.errors.keys()
        self._queue_read_time = 0.0
        self._max_workers = self._limit_by_memory(worker_count or count_usable_cores(), worker_bytes)
        # If there may be a GPU, and no count was given, the first worker must report its device first.
        self._allowed_workers = 1 if worker_count is None and self._may_have_gpu() else self._max_workers
        self._stage_cache = StageCache(order.stage_cache_folder)
        self._workers = WorkerPool(order.encode())
        self._idle_workers: list[int] = []

    def run(self) -> None:
        """Generate all missing candidates, and variations that are queued meanwhile."""
        self._stage_cache.trim()
        try:
            self._start_workers()
            while self._unfinished_count or self._take_new_variations():
                # With a timeout, so that Ctrl-C interrupts it on every system.
                with contextlib.suppress(queue.Empty):
                    self._handle_report(*self._workers.reports.get(timeout=WORKER_POLL_SECONDS))
                if self._idle_workers and time.monotonic() - self._queue_read_time >= WORKER_POLL_SECONDS:
                    self._take_new_variations()
        finally:
            self._workers.stop()
            remove_leftovers(self._run.folder)
            self._stage_cache.trim()

    def _start_workers(self) -> None:
        """Start workers for the unfinished candidates, up to the allowed number."""
        self._workers.start(max(0, min(self._allowed_workers, self._unfinished_count) - len(self._workers)))

    def _limit_by_memory(self, wanted: int, worker_bytes: int) -> int:
        """Return how many workers, at least one and at most those wanted, fit in the memory available."""
        affordable = affordable_workers(wanted, worker_bytes)
        if affordable < min(wanted, self._unfinished_count):
            limit = f"{affordable} worker{'s' if affordable > 1 else ''} at most"
            self._emit(Note(f"{limit}: each takes up to {worker_bytes / 1e9:.1f} GB of memory"))
        return affordable

    def _may_have_gpu(self) -> bool:
        """Return whether workers may use a GPU, as far as that is known without torch."""
        if self._order.device != "auto":
            return self._order.device != "cpu"
        return sys.platform == "darwin" or shutil.which("nvidia-smi") is not None or Path("/dev/kfd").exists()

    def _take_new_variations(self) -> bool:
        """Schedule newly queued variations before all else, since somebody waits for them.

        Returns:
            Whether there were any.
        """
        self._queue_read_time = time.monotonic()
        new_variations = [
            lineage
            for lineage in self._run.queued_lineages()
            if lineage.number not in self._scheduled_numbers
        ]
        if not new_variations:
            return False
        self._scheduled_numbers.update(lineage.number for lineage in new_variations)
        self._new_variations.extend(new_variations)
        self._unfinished_count += len(new_variations)
        self._emit(CandidatesAdded(len(new_variations)))
        self._start_workers()
        while self._idle_workers and self._new_variations:
            self._assign_next(self._idle_workers.pop())
        return True

    def _handle_report(self, worker_number: int, report: dict[str, Any]) -> None:
        """Emit and record what a worker reports, and give it its next candidate's number."""
        match report:
            case {"progress": [candidate, fraction]}:
                self._emit(StepProgress(candidate, fraction))
            case {"step": [candidate, step_id, stage_number, stage_count]}:
                self._emit(StepStarted(candidate, step_id, stage_number, stage_count))
            case {"ready": device}:
                if worker_number == 0 and device == "cpu":
                    self._allowed_workers = self._max_workers
                    self._start_workers()
                self._assign_next(worker_number)
            case {"done": candidate, "seconds": seconds, "embedding": [name, vector]}:
                self._record_candidate(candidate, seconds, name, vector)
                self._assign_next_after_update(worker_number)
            case {"failed": candidate, "error": fields}:
                error = ArtgenError(*fields)
                if str(error) not in map(str, self._result.errors.values()):
                    self._emit(Note(f"candidate {candidate} failed: {error}"))
                self._result.errors[candidate] = error
                self._emit(CandidateFailed(candidate, str(error)))
                self._unfinished_count -= 1
                self._assign_next_after_update(worker_number)
            case {"refused": fields}:
                raise ArtgenError(*fields)
            case {"bug": traceback_text}:
                raise WorkerBugError(f"in a worker:\n{traceback_text}")
            case {"ended": True}:
                raise self._workers.explain_exit(worker_number)

    def _assign_next_after_update(self, worker_number: int) -> None:
        """Schedule newly queued variations, then assign the next candidate."""
        self._take_new_variations()
        self._assign_next(worker_number)

    def _assign_next(self, worker_number: int) -> None:
        """Assign the next candidate to a worker, or note that it is idle."""
        if lineages := self._new_variations or self._missing:
            self._workers.assign_candidate(worker_number, lineages.popleft())
        else:
            self._idle_workers.append(worker_number)

    def _record_candidate(
        self, number: int, seconds: float, embedding_name: str, encoded_vector: str
    ) -> None:
        """Add a finished candidate and its embedding (base64, float16) to the run."""
        import numpy as np

        candidate = recover_candidate(self._run.folder, number, self._order.inputs.recipe.digest(), seconds)
        if candidate is None:
            png_path = candidate_png_path(self._run.folder, number)
            raise ArtgenError(str(png_path), "was removed or changed right after it was made", "run it again")
        self._run.add_candidate(candidate)
        vector = np.frombuffer(base64.b64decode(encoded_vector), "<f2").astype(np.float32)
        self._run.save_embeddings(embedding_name, {number: vector})
        self._result.generated_numbers.append(number)
        self._unfinished_count -= 1
        self._emit(CandidateDone(number, str(candidate.file), seconds))
        if len(self._result.generated_numbers) % CANDIDATES_PER_CACHE_TRIM == 0:
            self._stage_cache.trim()


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files of killed processes from a run's folder."""
    for subfolder in (folder, folder / CANDIDATES_FOLDER, folder / STAGES_FOLDER, folder / THUMBNAILS_FOLDER):
        if subfolder.is_dir():
            sweep(subfolder)
