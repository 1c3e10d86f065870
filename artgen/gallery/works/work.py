"""What is published: picks of runs and plain pictures alike, as works of one kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from artgen.runs.candidate import Candidate


class StageFile(NamedTuple):
    """The picture after the source or one step; width and height are the stage's own, not the preview's."""

    name: str
    alt: str
    width: int
    height: int
    preview: Path


@dataclass(frozen=True)
class Work:
    """One work as its artist left it.

    Attributes:
        slug: its part of every address: stable, unique, harmless in any file system and URL.
        series: which of the collection's series it belongs to, from 0.
        number: as ``No. 7``; empty for a plain picture.
        title: the artist's, or the series' and the number, or the file's name in words.
        caption: empty if it would only say title and number again.
        alt: the text for who does not see it.
        at: when it was picked, UTC, ISO 8601; empty where that is not known.
        source: the picture; a film where there is no picture to stand for it.
        stages: from the source to the last step; empty for a plain picture.
        film: the MP4 that is the work, with ``source`` as its poster.
        candidate: of a run; None for a plain picture.
        recipe: the run's, as TOML; None for a plain picture.
        run: the run's name; empty for a plain picture.
    """

    slug: str
    series: int
    number: str
    title: str
    caption: str
    alt: str
    at: str
    source: Path
    stages: tuple[StageFile, ...] = ()
    film: Path | None = None
    candidate: Candidate | None = None
    recipe: str | None = None
    run: str = ""

    @property
    def seed(self) -> int | None:
        """The run's seed."""
        return self.candidate.seed if self.candidate else None

    @property
    def index(self) -> int | None:
        """The candidate's number."""
        return self.candidate.index if self.candidate else None

    @property
    def variation_of(self) -> int | None:
        """The number of the candidate that this is a variation of."""
        return self.candidate.variation_of if self.candidate else None

    @property
    def draws(self) -> Mapping[str, Mapping[str, Any]] | None:
        """What chance chose, by step id and field."""
        return self.candidate.draws if self.candidate else None


@dataclass(frozen=True)
class Series:
    """Works that belong together: of one run, or of one folder.

    Attributes:
        slug: its part of the address.
        name: the run's or the folder's, by which ``gallery.toml`` calls it.
        title: its heading.
        statement: below it; empty without.
        drawn: how many candidates its works were chosen from; 0 for a folder of pictures.
    """

    slug: str
    name: str
    title: str
    statement: str
    drawn: int


@dataclass(frozen=True)
class Collection:
    """Everything that is published, in the order in which it hangs."""

    series: tuple[Series, ...]
    works: tuple[Work, ...]
