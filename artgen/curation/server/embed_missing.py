"""Embeddings that a run lacks, computed beside the server from its thumbnails.

A process of its own, because what computes them may import torch: in the server that would make keys wait.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from artgen.curation.server.child_process import Background
from artgen.curation.server.run_thread import Keeper
from artgen.errors import ArtgenError
from artgen.runs.candidate import thumbnail_file
from artgen.runs.store import Run
from artgen.subprocesses import start_python

AT_ONCE = 16
logger = logging.getLogger(__name__)


class Filling:
    """Sees to it that every candidate has an embedding.

    Args:
        keeper: the run.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._process = Background(self._start)
        self._looked = -1
        self.finished = False
        """Whether no more embeddings are to come, for what is there now."""

    async def look(self) -> None:
        """Begin where candidates have come since the last time and some lack theirs."""
        if self._process.running:
            end = self._process.ended()  # what it could not read stays without
            if end and end.code:
                logger.error("embeddings could not be computed: %s", end.said)
            return
        _, added = await self._keeper.do(Run.cursor)
        if self._looked == added:
            self.finished = True
            return
        self._looked, self.finished = added, False
        if await self._keeper.do(_lacking):
            self._process.begin()

    def stop(self) -> None:
        """End the process."""
        self._process.stop(0)  # what it has stored stays, and nothing is ever half stored

    def _start(self, output: IO[bytes]) -> subprocess.Popen[bytes]:
        folder = str(self._keeper.folder)
        return start_python(
            "artgen.curation.server.embed_missing",
            folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def fill(folder: Path) -> None:
    """Compute and keep what is lacking; a thumbnail that cannot be read is passed over.

    Raises:
        ArtgenError: the run cannot be opened or written.
    """
    from artgen.imaging.embedding import NAME, embed
    from artgen.imaging.io.files import read_image

    with Run.open(folder) as run:
        lacking = _lacking(run)
        for first in range(0, len(lacking), AT_ONCE):
            vectors = {}
            for number in lacking[first : first + AT_ONCE]:
                try:
                    vectors[number] = embed(read_image(thumbnail_file(folder, number)))
                except ArtgenError:
                    continue
            run.embed_all(NAME, vectors)


def _lacking(run: Run) -> list[int]:
    from artgen.imaging.embedding import NAME

    return run.lacking(NAME)


def main() -> None:
    """Fill the run whose folder is the only argument."""
    import torch

    torch.set_num_threads(1)
    if hasattr(os, "nice"):
        os.nice(10)  # what the artist does comes first
    fill(Path(sys.argv[1]))
