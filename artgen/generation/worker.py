"""A worker process: reads candidate numbers from standard input and reports on standard output.

It exits as soon as its input ends, so it never outlives the coordinator.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import queue
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from artgen.errors import ArtgenError, ValidationErrors, WriteError
from artgen.generation.chain import GenerationSettings
from artgen.generation.make_candidate import RunInputs, make_candidate
from artgen.recipe import Lineage
from artgen.runs.stages import StageCache

if TYPE_CHECKING:
    from torch import Tensor

PROGRESS_REPORT_SECONDS = 0.1


@dataclass(frozen=True)
class WorkerOrder:
    """The first message to a worker: what it needs to generate candidates of a run.

    Args:
        inputs: recipe and files of the run.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        preview: compute less, for a quick look.
        stage_cache_folder: folder of the stage cache.
    """

    inputs: RunInputs
    device: str
    preview: bool
    stage_cache_folder: Path

    def encode(self) -> str:
        """Return the order as one line of text: base64 of its pickle."""
        return base64.b64encode(pickle.dumps(self)).decode()


def main() -> None:
    """Draw candidates as a worker process until standard input ends."""
    # What libraries print goes to standard error, so that it does not mix with the reports.
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    input_lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read_input, args=(input_lines,), daemon=True).start()
    try:
        _Worker(pickle.loads(base64.b64decode(input_lines.get())), reports).serve(input_lines)
    except BaseException:
        _send(reports, {"bug": traceback.format_exc()})
        raise


def _read_input(input_lines: queue.SimpleQueue[str]) -> None:
    """Queue each line of the worker's standard input; exit the process when it ends."""
    for line in sys.stdin:
        input_lines.put(line)
    os._exit(0)


def _send(reports: TextIO, message: dict[str, Any]) -> None:
    """Write a worker's report to the coordinator as one line of JSON."""
    reports.write(json.dumps(message) + "\n")
    reports.flush()


class _Worker:
    """The loop of a worker process, with the state of its reports."""

    def __init__(self, order: WorkerOrder, reports: TextIO) -> None:
        self._order, self._reports = order, reports
        self._candidate_number = 0
        self._last_report_time = 0.0

    def serve(self, input_lines: queue.SimpleQueue[str]) -> None:
        """Generate each candidate that arrives; return only if the device or the disk cannot be used."""
        from artgen.generation.chain import configure_torch

        order = self._order
        try:
            device = configure_torch(order.device)
        except ArtgenError as error:
            _send(self._reports, {"refused": _error_fields(error)})
            return
        settings = GenerationSettings(
            device=device,
            preview=order.preview,
            stage_cache=StageCache(order.stage_cache_folder),
            file_hashes={str(path): used_file.sha256 for path, used_file in order.inputs.used_files.items()},
            on_step_started=self._report_step,
            on_progress=self._report_progress,
        )
        _send(self._reports, {"ready": device})
        while True:
            self._candidate_number, *ancestors = json.loads(input_lines.get())
            start_time = time.monotonic()
            try:
                image = make_candidate(
                    order.inputs, Lineage(self._candidate_number, tuple(ancestors)), settings
                )
            except WriteError as error:
                _send(self._reports, {"refused": _error_fields(error)})
                return
            except ArtgenError as error:
                _send(self._reports, {"failed": self._candidate_number, "error": _error_fields(error)})
                continue
            seconds = round(time.monotonic() - start_time, 3)
            report = {
                "done": self._candidate_number,
                "seconds": seconds,
                "embedding": _encode_embedding(image),
            }
            _send(self._reports, report)

    def _report_step(self, step_id: str, stage_number: int, stage_count: int) -> None:
        """Report to the coordinator that a step of the candidate has started."""
        _send(self._reports, {"step": [self._candidate_number, step_id, stage_number, stage_count]})

    def _report_progress(self, fraction: float) -> None:
        """Report the progress of a candidate's step, at most ten times a second."""
        now = time.monotonic()
        if now - self._last_report_time >= PROGRESS_REPORT_SECONDS:
            self._last_report_time = now
            _send(self._reports, {"progress": [self._candidate_number, float(fraction)]})


def _encode_embedding(image: Tensor) -> list[str]:
    """Return the name of the embedding, and its vector as base64 of float16."""
    from artgen.imaging.embedding import EMBEDDING_NAME, embed_image

    return [EMBEDDING_NAME, base64.b64encode(embed_image(image).astype("<f2").tobytes()).decode()]


def _error_fields(error: ArtgenError) -> list[str]:
    """Return the arguments from which the coordinator builds an equal error."""
    if isinstance(error, ValidationErrors):
        return [error.where, str(error), "", ""]
    return [error.where, error.problem, error.expected, error.command]
