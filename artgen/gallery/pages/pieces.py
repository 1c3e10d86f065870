"""A piece: a published work, the words and files of its page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from artgen.gallery.media.renditions import MAX_THUMBNAIL_SIDE
from artgen.gallery.pages.making import Making, making, process
from artgen.gallery.pages.model_cards import ENDING, Card, cards
from artgen.gallery.works import dates

if TYPE_CHECKING:
    from artgen.gallery.media.render import FilmFile, OriginalFile, RenderedArtwork
    from artgen.gallery.media.renditions import RenditionSet
    from artgen.gallery.media.zoom import TilePyramid
    from artgen.gallery.works.settings import SiteSettings
    from artgen.gallery.works.work import Artwork
    from artgen.runs.provenance import UsedFile

# What was done, where the stage before had the same size.
TICKS = {"style": "styled", "grade": "graded", "grain": "grain", "mix": "mixed", "upscale": "re-imagined"}
# With more stages the slider's ends have no room for words.
ROOMY = 5
# Proportions this near are the same: thumbnails are whole pixels.
SAME = 0.04
# What a piece gives up of the window's height: the header above it, and a beginning of its label.
ABOVE_AND_BELOW = 210  # px


@dataclass(frozen=True)
class StageShown:
    """One stage on a piece's page.

    Attributes:
        name: what was done, as ``Re-imagined``.
        tick: the little there is room for under the slider, as ``256``.
        alt: the text for who does not see it.
        width: of the stage itself, px.
        height: of the stage itself, px.
        image: its picture.
    """

    name: str
    tick: str
    alt: str
    width: int
    height: int
    image: RenditionSet


@dataclass(frozen=True)
class Piece:
    """A piece. Paths are relative to the site.

    Attributes:
        slug: its part of every address.
        series: which of the site's series it hangs in, from 0.
        number: as ``No. 7``; empty for a plain picture.
        title: the artist's, or the recipe's and the number, or the file's name.
        caption: the recipe's; empty if it only says title and number again.
        alt: the text for who does not see it: the artist's, or the caption.
        at: when it was picked or taken, ISO 8601 or a year alone; empty where it is not known.
        process: the wall label's line; empty for a plain picture.
        edition: in words; empty without.
        image: the work; of a film its poster.
        film: None for a picture.
        original: None where visitors are not given it.
        pyramid: None where there is no more to see by zooming.
        card: the JPEG that stands for the page where its link is shown.
        stages: from the source to the last step; empty for a plain picture.
        making: None for a plain picture.
        models: what shipped models say of themselves, of those that it used.
        index: the candidate's number.
        seed: the run's.
        recipe: the run's, as TOML; empty for a plain picture.
        reproduce: the command that makes it again, from the original or else from the recipe.
    """

    slug: str
    series: int
    number: str
    title: str
    caption: str
    alt: str
    at: str
    process: str
    edition: str
    image: RenditionSet
    film: FilmFile | None
    original: OriginalFile | None
    pyramid: TilePyramid | None
    card: str
    stages: tuple[StageShown, ...] = ()
    making: Making | None = None
    models: tuple[Card, ...] = ()
    index: int | None = None
    seed: int | None = None
    recipe: str = ""
    reproduce: str = ""

    @property
    def year(self) -> int | None:
        """In which it was picked or taken; None where it is not known."""
        return dates.parse_year(self.at)

    @property
    def file(self) -> str:
        """The page's name within ``pieces/``."""
        return f"{self.slug}.html"

    @property
    def page(self) -> str:
        """The page."""
        return f"pieces/{self.file}"

    @property
    def width(self) -> int:
        """Of the work, px."""
        return self.film.width if self.film else self.image.width

    @property
    def height(self) -> int:
        """Of the work, px."""
        return self.film.height if self.film else self.image.height

    @property
    def ratio(self) -> float:
        """Width divided by height."""
        return round(self.width / self.height, 4)

    @property
    def largest(self) -> tuple[str, int]:
        """The widest JPEG rendition and its width, px."""
        return self.image.files["jpg"][-1] if self.image.files else (self.image.source, self.image.width)

    @property
    def pictures(self) -> tuple[UsedFile, ...]:
        """The files that decided it and are no models."""
        files = self.making.files if self.making else ()
        return tuple(file for file in files if not file.name.endswith(ENDING))

    @property
    def before(self) -> StageShown:
        """The first stage of the work's own proportions, so that both can lie one over the other."""
        last = self.stages[-1]
        for stage in self.stages[:-1]:
            if abs(stage.width * last.height / (stage.height * last.width) - 1) < SAME:
                return stage
        return self.stages[0]

    @property
    def sizes(self) -> str:
        """How wide the work is shown on its own page, for choosing among renditions."""
        return f"(max-width: 719px) 90vw, min(88vw, calc((100vh - {ABOVE_AND_BELOW}px) * {self.ratio}))"

    @property
    def label(self) -> str:
        """What stands below it where it hangs with others: its number, if its title is no more than that."""
        return self.number if self.number and self.title.endswith(f", {self.number.lower()}") else self.title


def make_piece(work: Artwork, rendered: RenderedArtwork, settings: SiteSettings) -> Piece:
    """Gather the words for the page of ``work`` around the files that were made of it."""
    piece = Piece(
        slug=work.slug,
        series=work.series,
        number=work.number,
        title=work.title,
        caption=work.caption,
        alt=work.alt,
        at=work.picked_at or rendered.taken,
        process=process(work.candidate) if work.candidate else "",
        edition=settings.edition,
        image=rendered.image,
        film=rendered.film,
        original=rendered.original,
        pyramid=rendered.pyramid,
        card=rendered.card,
    )
    if work.candidate is None or work.recipe is None:
        return piece
    made = making(work.recipe, work.candidate)
    return Piece(
        **{name: getattr(piece, name) for name in Piece.__dataclass_fields__}
        | {
            "stages": _stages(work, rendered),
            "making": made,
            "models": cards(made.files),
            "index": work.index,
            "seed": work.seed,
            "recipe": work.recipe.strip(),
            "reproduce": _reproduce(work, rendered.original),
        }
    )


def _reproduce(work: Artwork, original: OriginalFile | None) -> str:
    if original:
        return f"artgen reproduce {PurePath(original.file).name}"
    preview = " --preview" if work.run.endswith("-preview") else ""
    return f"artgen run recipe.toml --only {work.index}{preview}"


def _stages(work: Artwork, rendered: RenderedArtwork) -> tuple[StageShown, ...]:
    uses = [stage.use for stage in work.candidate.stages] if work.candidate else []
    shown: list[StageShown] = []
    for stage, use, image in zip(work.stages, uses, rendered.stages, strict=False):
        if image is None:
            continue
        size = (stage.width, stage.height)
        if not shown and max(size) <= MAX_THUMBNAIL_SIDE and len(work.stages) <= ROOMY:
            tick = "thumbnail"
        elif not shown or size != (shown[-1].width, shown[-1].height):
            tick = str(max(size))
        else:
            tick = TICKS.get(use, stage.name.lower())
        shown.append(StageShown(stage.name, tick, stage.alt, stage.width, stage.height, image))
    return tuple(shown)
