"""A worker process: told candidates on its standard input, it reports on its standard output.

It ends as soon as its input ends, so it never outlives the coordinator, however that died.
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

from artgen.errors import ArtgenError, Problems, WriteError
from artgen.generation.chain import Setting
from artgen.generation.make_candidate import Job, make
from artgen.recipe import Lineage
from artgen.runs.stages import StageCache

if TYPE_CHECKING:
    from torch import Tensor

PROGRESS_SECONDS = 0.1


@dataclass(frozen=True)
class Order:
    """The first message to a worker.

    Args:
        job: what is made.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        preview: make less, for a quick look.
        cache: folder of the stage cache.
    """

    job: Job
    device: str
    preview: bool
    cache: Path

    def line(self) -> str:
        """The order as one line of text."""
        return base64.b64encode(pickle.dumps(self)).decode()


def main() -> None:
    """Serve until the input ends."""
    # Whatever a library prints must not stand between our messages.
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    try:
        _Worker(pickle.loads(base64.b64decode(lines.get())), reports).serve(lines)
    except BaseException:
        _say(reports, {"bug": traceback.format_exc()})
        raise


def _listen(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def _say(reports: TextIO, message: dict[str, Any]) -> None:
    reports.write(json.dumps(message) + "\n")
    reports.flush()


class _Worker:
    def __init__(self, order: Order, reports: TextIO) -> None:
        self._order, self._reports = order, reports
        self._candidate = 0
        self._last = 0.0

    def serve(self, lines: queue.SimpleQueue[str]) -> None:
        from artgen.generation.chain import prepare

        order = self._order
        try:
            device = prepare(order.device)
        except ArtgenError as error:
            _say(self._reports, {"refused": _parts(error)})
            return
        setting = Setting(
            device=device,
            preview=order.preview,
            cache=StageCache(order.cache),
            hashes={str(path): used.sha256 for path, used in order.job.files.items()},
            started=self._started,
            progress=self._progress,
        )
        _say(self._reports, {"ready": device})
        while True:
            self._candidate, *ancestors = json.loads(lines.get())
            began = time.monotonic()
            try:
                picture = make(order.job, Lineage(self._candidate, tuple(ancestors)), setting)
            except WriteError as error:
                _say(self._reports, {"refused": _parts(error)})
                return
            except ArtgenError as error:
                _say(self._reports, {"failed": self._candidate, "error": _parts(error)})
                continue
            seconds = round(time.monotonic() - began, 3)
            report = {"done": self._candidate, "seconds": seconds, "embedding": _embedding(picture)}
            _say(self._reports, report)

    def _started(self, step: str, number: int, of: int) -> None:
        _say(self._reports, {"step": [self._candidate, step, number, of]})

    def _progress(self, fraction: float) -> None:
        now = time.monotonic()
        if now - self._last >= PROGRESS_SECONDS:
            self._last = now
            _say(self._reports, {"progress": [self._candidate, float(fraction)]})


def _embedding(picture: Tensor) -> list[str]:
    """The name of the embedding and its vector, float16, as text."""
    from artgen.imaging.embedding import NAME, embed

    return [NAME, base64.b64encode(embed(picture).astype("<f2").tobytes()).decode()]


def _parts(error: ArtgenError) -> list[str]:
    if isinstance(error, Problems):
        return [error.where, str(error), "", ""]
    return [error.where, error.found, error.right, error.command]
