"""A candidate as its row in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from artgen.runs.candidate import Candidate, Stage, png_file, stage_file, thumbnail_file


class Row(NamedTuple):
    """The columns of a candidate.

    Args:
        number: its number.
        seed: the run's.
        width: in px.
        height: in px.
        caption: plain text.
        draws: JSON, what chance chose by step and field.
        stages: JSON, ``[number of its preview, step, use, width, height]`` of each.
        seconds: what it took.
        variation_of: number of the candidate that it is a variation of.
    """

    number: int
    seed: int
    width: int
    height: int
    caption: str
    draws: str
    stages: str
    seconds: float
    variation_of: int | None

    @classmethod
    def of(cls, candidate: Candidate) -> Self:
        """The row of a candidate."""
        stages = [
            [int(stage.preview.name.split("-")[1]), stage.step, stage.use, stage.width, stage.height]
            for stage in candidate.stages
        ]
        return cls(
            *(candidate.index, candidate.seed, candidate.width, candidate.height, candidate.caption),
            *(json.dumps(candidate.draws), json.dumps(stages), candidate.seconds, candidate.variation_of),
        )

    def candidate(self, folder: Path, decided: Mapping[str, Any]) -> Candidate:
        """The candidate in a run's folder, with every field of it that was ever decided."""
        return Candidate(
            index=self.number,
            seed=self.seed,
            file=png_file(folder, self.number),
            thumbnail=thumbnail_file(folder, self.number),
            width=self.width,
            height=self.height,
            caption=self.caption,
            draws=json.loads(self.draws),
            stages=tuple(
                Stage(step, use, width, height, stage_file(folder, self.number, at, step))
                for at, step, use, width, height in json.loads(self.stages)
            ),
            seconds=self.seconds,
            variation_of=self.variation_of,
            **decided,
        )
