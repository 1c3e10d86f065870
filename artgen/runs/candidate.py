"""One candidate of a run, as the pages and the command line see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CANDIDATES, STAGES, THUMBNAILS = "candidates", "stages", "thumbs"
FIRST_VARIATION = 100_001
"""Recipes draw at most 100,000 candidates, so the numbers of variations never meet theirs."""
PREVIEW_SIDE, THUMBNAIL_SIDE = 1024, 320


@dataclass(frozen=True)
class Stage:
    """The image after the source or one step.

    Args:
        step: the step's id; ``"source"`` for the first stage.
        use: the source or step as the recipe names it.
        width: of the stage itself, in px.
        height: of the stage itself, in px.
        preview: a WebP of it, its long side at most 1024 px.
    """

    step: str
    use: str
    width: int
    height: int
    preview: Path


@dataclass(frozen=True)
class Candidate:
    """A finished candidate: every file named here is complete on disk.

    Args:
        index: its number in the run, from 1.
        seed: the run's seed; with ``index`` it decides every random choice.
        file: the PNG.
        thumbnail: a WebP, long side at most 320 px.
        width: in px.
        height: in px.
        caption: plain text, as the recipe's gallery words it.
        draws: what chance chose, by step id and field.
        stages: from the source to the last step.
        seconds: what it took to make; 0 when that is not known any more.
        mark: ``kept``, ``rejected``, or None as long as it is undecided.
        stars: 0 to 5.
        round: how many rounds of picking it has reached, from 1.
        title: the artist's; empty without.
        alt: what to tell who cannot see it; empty without.
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
    stages: tuple[Stage, ...]
    seconds: float = 0.0
    mark: str | None = None
    stars: int = 0
    round: int = 1
    title: str = ""
    alt: str = ""
    variation_of: int | None = None

    @property
    def picked(self) -> bool:
        """Whether the artist keeps it, as things stand."""
        return self.mark == "kept"


def png_file(folder: Path, index: int) -> Path:
    """Where a run's folder keeps candidate ``index``."""
    return folder / CANDIDATES / f"{index:04d}.png"


def thumbnail_file(folder: Path, index: int) -> Path:
    """Where a run's folder keeps the thumbnail of candidate ``index``."""
    return folder / THUMBNAILS / f"{index:04d}.webp"


def stage_file(folder: Path, index: int, number: int, step: str) -> Path:
    """Where a run's folder keeps the preview of stage ``number`` (0: the source) of candidate ``index``."""
    return folder / STAGES / f"{index:04d}-{number}-{step}.webp"


def ranges(numbers: Iterable[int]) -> str:
    """``1-3, 7``: rising numbers in few words."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ", ".join("-".join(str(end) for end in part) for part in parts)
