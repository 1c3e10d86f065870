"""A picked candidate as its page shows it."""

from __future__ import annotations

import re
import shutil
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.gallery import renditions
from artgen.gallery.making import Making, making, process, stage_name
from artgen.gallery.renditions import Picture
from artgen.recipe import Gallery
from artgen.runs.candidate import Candidate
from artgen.runs.store import Run

if TYPE_CHECKING:
    from artgen.runs.candidate import Stage

MEGABYTE = 1_000_000
MOST_COLUMNS = 6


@dataclass(frozen=True)
class StageShown:
    """One stage on a piece's page."""

    name: str
    alt: str
    width: int
    height: int
    image: Picture


@dataclass(frozen=True)
class Original:
    """The picture as it was made, to download; ``file`` is relative to the site."""

    file: str
    kind: str
    size: str


@dataclass(frozen=True)
class Piece:
    """A piece: the words and files of its page. Paths are relative to the site.

    Attributes:
        title: the artist's, or the recipe's and the number.
        label: what stands below it in the series.
        caption: the recipe's caption; empty if it only says title and number again.
        alt: the text for who does not see it: the artist's, or the caption.
        ratio: width divided by height.
        stages: from the source to the last step.
        original: None where visitors are not given it.
        reproduce: the command that makes it again, from the original or else from the recipe.
    """

    slug: str
    title: str
    label: str
    caption: str
    alt: str
    index: int
    seed: int
    image: Picture
    ratio: float
    stages: tuple[StageShown, ...]
    process: str
    making: Making
    original: Original | None
    recipe: str
    reproduce: str

    @property
    def file(self) -> str:
        """The page's name within ``pieces/``."""
        return f"{self.slug}.html"

    @property
    def page(self) -> str:
        """The page."""
        return f"pieces/{self.file}"

    @property
    def columns(self) -> int:
        """How many stages stand side by side where there is room: one even row, or two."""
        count = len(self.stages)
        return max(4, count if count <= MOST_COLUMNS else -(-count // 2))

    @property
    def sizes(self) -> str:
        """How wide the work is shown on its own page, for choosing among renditions."""
        return f"(max-width: 719px) 90vw, min(88vw, calc((100vh - 150px) * {self.ratio}))"


def slug_of(run: Run, candidate: Candidate) -> str:
    """The piece's part of the address: stable, and harmless in any file system and URL."""
    plain = unicodedata.normalize("NFKD", run.name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return f"{stem or 'piece'}-{candidate.index:04d}"


def make_piece(run: Run, candidate: Candidate, slug: str, site: Path, *, originals: bool = True) -> Piece:
    """Write a piece's pictures into ``site`` and gather the words for its page.

    Raises:
        ArtgenError: a file of the candidate is missing or damaged.
    """
    image = renditions.render(candidate.file, site, slug)
    title = candidate.title or f"{run.title}, no. {candidate.index}"
    return Piece(
        slug=slug,
        title=title,
        label=f"No. {candidate.index}",
        caption="" if candidate.caption == _plain_caption(run, candidate) else candidate.caption,
        alt=candidate.alt or candidate.caption or title,
        index=candidate.index,
        seed=candidate.seed,
        image=image,
        ratio=round(image.width / image.height, 4),
        stages=tuple(
            _stage(stage, site, f"{slug}-stage-{number}") for number, stage in enumerate(candidate.stages, 1)
        ),
        process=process(candidate),
        making=making(run.recipe_text, candidate),
        original=_original(candidate, slug, site) if originals else None,
        recipe=run.recipe_text.strip(),
        reproduce=f"artgen reproduce {slug}.png" if originals else _drawn_again(run, candidate),
    )


def _drawn_again(run: Run, candidate: Candidate) -> str:
    preview = " --preview" if run.name.endswith("-preview") else ""
    return f"artgen run recipe.toml --only {candidate.index}{preview}"


def _original(candidate: Candidate, slug: str, site: Path) -> Original:
    file = f"originals/{slug}.png"
    shutil.copyfile(candidate.file, site / file)
    return Original(file, "PNG", f"{(site / file).stat().st_size / MEGABYTE:.1f} MB")


def _plain_caption(run: Run, candidate: Candidate) -> str:
    """What a recipe without a caption of its own says."""
    caption: str = Gallery.model_fields["caption"].default
    return caption.format(title=run.title, index=candidate.index)


def _stage(stage: Stage, site: Path, name: str) -> StageShown:
    words = stage_name(stage.use)
    return StageShown(
        name=words,
        alt=f"{words}: {stage.width} by {stage.height} pixels",
        width=stage.width,
        height=stage.height,
        image=renditions.render_stage(stage.preview, site, name),
    )
