"""Candidates of a run, their rows in the database, and the paths of their files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

CANDIDATES_FOLDER, STAGES_FOLDER, THUMBNAILS_FOLDER = "candidates", "stages", "thumbs"
FIRST_VARIATION_NUMBER = 100_001
"""Recipes draw at most 100,000 candidates, so variations never have the number of one of these."""
STAGE_PREVIEW_SIDE_PX, THUMBNAIL_SIDE_PX = 1024, 320


@dataclass(frozen=True)
class CandidateStage:
    """The image of a candidate after the source or after one step.

    Args:
        step: the step's id; ``"source"`` for the first stage.
        use: the source or step as the recipe names it.
        width: width of the stage, in px.
        height: height of the stage, in px.
        preview: path of a WebP copy, long side at most 1024 px.
    """

    step: str
    use: str
    width: int
    height: int
    preview: Path


@dataclass(frozen=True)
class Candidate:
    """A finished candidate of a run; every file named here is complete on disk.

    Args:
        index: number of the candidate in the run, from 1.
        seed: the run's seed; with ``index`` it decides every random choice.
        file: path of the PNG.
        thumbnail: path of a WebP copy, long side at most 320 px.
        width: in px.
        height: in px.
        caption: plain text, from the caption format of the recipe.
        draws: the values drawn for this candidate, by step id and field.
        stages: from the source to the last step.
        seconds: time it took to generate; 0 if unknown.
        mark: ``kept``, ``rejected``, or None while undecided.
        stars: 0 to 5.
        round: the round of picking that it has reached, from 1.
        title: title given by the artist, or empty.
        alt: alternative text for those who cannot see the image, or empty.
        variation_of: number of the candidate that this is a variation of.
    """

    index: int
    seed: int
    file: Path
    thumbnail: Path
    width: int
    height: int
    caption: str
    draws: Mapping[str, Mapping[str, Any]]
    stages: tuple[CandidateStage, ...]
    seconds: float = 0.0
    mark: str | None = None
    stars: int = 0
    round: int = 1
    title: str = ""
    alt: str = ""
    variation_of: int | None = None

    @property
    def picked(self) -> bool:
        """Whether the artist keeps the candidate on the contact sheet."""
        return self.mark == "kept"

    def read_tensor(self) -> Tensor:
        """Read the candidate's picture as float32 ``(3, H, W)``, sRGB, [0, 1].

        Raises:
            ArtgenError: the file is missing or damaged.
        """
        from artgen.imaging.io.files import read_image

        return read_image(self.file)

    def open_image(self) -> Image:
        """Open the candidate's picture as a Pillow image, 8-bit RGB.

        Raises:
            ArtgenError: the file is missing or damaged.
        """
        from artgen.imaging.io.files import to_pillow

        return to_pillow(self.read_tensor())


class CandidateRow(NamedTuple):
    """The columns of a candidate in a run's database.

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
        """Build the database row of a candidate."""
        stages = [
            [int(stage.preview.name.split("-")[1]), stage.step, stage.use, stage.width, stage.height]
            for stage in candidate.stages
        ]
        return cls(
            *(candidate.index, candidate.seed, candidate.width, candidate.height, candidate.caption),
            *(json.dumps(candidate.draws), json.dumps(stages), candidate.seconds, candidate.variation_of),
        )

    def to_candidate(self, folder: Path, decided_values: Mapping[str, Any]) -> Candidate:
        """Build the candidate of a database row.

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


def candidate_png_path(run_folder: Path, index: int) -> Path:
    """Return the path of the PNG of candidate ``index`` in a run's folder."""
    return run_folder / CANDIDATES_FOLDER / f"{index:04d}.png"


def thumbnail_path(run_folder: Path, index: int) -> Path:
    """Return the path of the thumbnail of candidate ``index`` in a run's folder."""
    return run_folder / THUMBNAILS_FOLDER / f"{index:04d}.webp"


def stage_preview_path(run_folder: Path, index: int, stage_number: int, step_id: str) -> Path:
    """Return the path of the preview of stage ``stage_number`` (0: the source) of candidate ``index``."""
    return run_folder / STAGES_FOLDER / f"{index:04d}-{stage_number}-{step_id}.webp"


def format_number_ranges(numbers: Iterable[int]) -> str:
    """Write rising candidate numbers as ranges, such as ``1-3, 7``."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1] = [ranges[-1][0], number]
        else:
            ranges.append([number])
    return ", ".join("-".join(str(limit) for limit in limits) for limits in ranges)
