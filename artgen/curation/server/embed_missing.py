"""Compute the embeddings that a run lacks from its thumbnails, in a process next to the server.

In a process of its own because the embedding may import torch, which would delay key presses in the server.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from artgen.curation.server.child_process import ChildProcess
from artgen.curation.server.run_thread import RunThread
from artgen.errors import ArtgenError
from artgen.imaging.embedding import EMBEDDING_NAME, embed_image
from artgen.imaging.io.files import read_image
from artgen.runs.candidate import thumbnail_path
from artgen.runs.store import Run
from artgen.subprocesses import start_python

EMBEDDINGS_PER_WRITE = 16
logger = logging.getLogger(__name__)


class EmbeddingBackfill:
    """Starts the process of this module whenever candidates without an embedding have been added.

    Args:
        run_thread: the thread that has the run open.
    """

    def __init__(self, run_thread: RunThread) -> None:
        self._run_thread = run_thread
        self._process = ChildProcess(self._start_process)
        self._checked_arrival = -1
        self.is_finished = False
        """Whether no more embeddings are to come for the present candidates."""

    async def poll(self) -> None:
        """Start the process if candidates were added since the last call and some lack an embedding."""
        if self._process.is_running:
            exit_code, output = self._process.take_exit() or (0, "")
            if exit_code:  # a thumbnail that could not be read is no failure: it stays without
                logger.error("embeddings could not be computed: %s", output)
            return
        _, last_arrival = await self._run_thread.call(lambda run: run.database.read_cursor())
        if self._checked_arrival == last_arrival:
            self.is_finished = True
            return
        self._checked_arrival, self.is_finished = last_arrival, False
        if await self._run_thread.call(_list_missing):
            self._process.start()

    def stop(self) -> None:
        """Stop the process that embeds candidates for the contact sheet."""
        self._process.stop(0)  # without grace: each write is complete or not done, and is kept

    def _start_process(self, output: IO[bytes]) -> subprocess.Popen[bytes]:
        module, run_folder = "artgen.curation.server.embed_missing", str(self._run_thread.run_folder)
        return start_python(module, run_folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def embed_missing(run_folder: Path) -> None:
    """Compute and store the missing embeddings of a run; skip thumbnails that cannot be read.

    Raises:
        ArtgenError: the run cannot be opened or written.
    """
    with Run.open(run_folder) as run:
        numbers = _list_missing(run)
        for start in range(0, len(numbers), EMBEDDINGS_PER_WRITE):
            vectors = {}
            for number in numbers[start : start + EMBEDDINGS_PER_WRITE]:
                try:
                    vectors[number] = embed_image(read_image(thumbnail_path(run_folder, number)))
                except ArtgenError:
                    continue
            run.save_embeddings(EMBEDDING_NAME, vectors)


def _list_missing(run: Run) -> list[int]:
    return run.database.list_candidates_without_embedding(EMBEDDING_NAME)


def main() -> None:
    """Embed the missing candidates of the run whose folder is the only argument."""
    import torch

    torch.set_num_threads(1)
    if hasattr(os, "nice"):
        os.nice(10)  # the server and the browser come first
    embed_missing(Path(sys.argv[1]))
