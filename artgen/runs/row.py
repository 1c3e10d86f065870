"""A candidate from its row in the database and what was decided about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from artgen.runs.candidate import Candidate, Stage, png_file, stage_file, thumbnail_file


def described(row: tuple[Any, ...], folder: Path, decided: Mapping[str, Any]) -> Candidate:
    """The candidate of a row.

    Args:
        row: ``database.COLUMNS``.
        folder: the run's.
        decided: the fields of it that were ever decided.
    """
    index, seed, width, height, caption, draws, stages, seconds, variation_of = row
    return Candidate(
        index=index,
        seed=seed,
        file=png_file(folder, index),
        thumbnail=thumbnail_file(folder, index),
        width=width,
        height=height,
        caption=caption,
        draws=json.loads(draws),
        stages=tuple(
            Stage(step, use, w, h, stage_file(folder, index, number, step))
            for number, step, use, w, h in json.loads(stages)
        ),
        seconds=seconds,
        variation_of=variation_of,
        **decided,
    )
