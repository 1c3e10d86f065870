"""The database row of a candidate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from artgen.runs.candidate import (
    Candidate,
    CandidateStage,
    candidate_png_path,
    stage_preview_path,
    thumbnail_path,
)


class CandidateRow(NamedTuple):
    """The database columns of a candidate.

    Args:
        number: number of the candidate in the run.
        seed: the run's seed.
        width: in px.
        height: in px.
        caption: plain text.
        draws: JSON, the drawn values by step and field.
        stages: JSON, ``[stage number, step, use, width, height]`` of each stage.
        seconds: time it took to generate.
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
    def from_candidate(cls, candidate: Candidate) -> Self:
        """Build the row of a candidate."""
        stages = [
            [int(stage.preview.name.split("-")[1]), stage.step, stage.use, stage.width, stage.height]
            for stage in candidate.stages
        ]
        return cls(
            *(candidate.index, candidate.seed, candidate.width, candidate.height, candidate.caption),
            *(json.dumps(candidate.draws), json.dumps(stages), candidate.seconds, candidate.variation_of),
        )

    def to_candidate(self, folder: Path, decided_values: Mapping[str, Any]) -> Candidate:
        """Build the candidate of a row.

        Args:
            folder: the run's folder.
            decided_values: values of the fields that the artist decided.
        """
        return Candidate(
            index=self.number,
            seed=self.seed,
            file=candidate_png_path(folder, self.number),
            thumbnail=thumbnail_path(folder, self.number),
            width=self.width,
            height=self.height,
            caption=self.caption,
            draws=json.loads(self.draws),
            stages=tuple(
                CandidateStage(
                    step_id,
                    use,
                    width,
                    height,
                    stage_preview_path(folder, self.number, stage_number, step_id),
                )
                for stage_number, step_id, use, width, height in json.loads(self.stages)
            ),
            seconds=self.seconds,
            variation_of=self.variation_of,
            **decided_values,
        )
