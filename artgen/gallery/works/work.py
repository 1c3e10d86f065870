"""Artworks to publish: picked candidates, pictures and films, all of one class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from artgen.runs.candidate import Candidate


class StagePreview(NamedTuple):
    """Preview file of an artwork's picture after a source or step.

    Attributes:
        name: of the source or step, as ``Film grain``.
        alt: alternative text.
        width: of the stage's picture, not of its preview, px.
        height: of the stage's picture, px.
        preview: the preview file.
    """

    name: str
    alt: str
    width: int
    height: int
    preview: Path


@dataclass(frozen=True)
class Artwork:
    """A picture or film to publish on the site, with its texts.

    Attributes:
        slug: its part of every address: stable, unique, safe in file systems and URLs.
        series: index of its series in the collection, from 0.
        number: as ``No. 7``; empty for a plain picture.
        title: the artist's, or the series' title and the number, or the file's name in words.
        caption: empty if it would only repeat title and number.
        alt: alternative text.
        picked_at: when it was picked, UTC, ISO 8601; empty if unknown.
        source: the picture file; the film file if no picture is its poster.
        stages: from the source to the last step; empty for a plain picture.
        film: the MP4 file; None for a picture.
        film_loops: whether the film's last frame leads to its first, so that it plays on and on.
        candidate: None for a plain picture.
        recipe: the run's recipe as TOML; None for a plain picture.
        run: the run's name; empty for a plain picture.
    """

    slug: str
    series: int
    number: str
    title: str
    caption: str
    alt: str
    picked_at: str
    source: Path
    stages: tuple[StagePreview, ...] = ()
    film: Path | None = None
    film_loops: bool = False
    candidate: Candidate | None = None
    recipe: str | None = None
    run: str = ""


@dataclass(frozen=True)
class ArtworkSeries:
    """Texts of a series of artworks: those of one run or of one folder.

    Attributes:
        slug: its part of the address.
        name: of the run or the folder; ``gallery.toml`` uses it as the series' name.
        title: its heading.
        statement: text below the heading; may be empty.
        drawn: number of candidates that its artworks were picked from; 0 for a folder of pictures.
    """

    slug: str
    name: str
    title: str
    statement: str
    drawn: int


@dataclass(frozen=True)
class ArtworkCollection:
    """All series and artworks of a site, in the site's order."""

    series: tuple[ArtworkSeries, ...]
    works: tuple[Artwork, ...]
