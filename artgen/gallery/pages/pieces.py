"""Data of a piece, a published artwork, for the template of its page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from artgen.gallery.media.renditions import MAX_ENLARGED_PICTURE_SIDE_PX
from artgen.gallery.pages.making import Making, describe_making, describe_process
from artgen.gallery.pages.model_cards import MODEL_FILE_ENDING, ModelCard, read_model_cards
from artgen.gallery.works import dates

if TYPE_CHECKING:
    from artgen.gallery.media.render import FilmFile, OriginalFile, RenderedArtwork
    from artgen.gallery.media.renditions import RenditionSet
    from artgen.gallery.media.zoom import TilePyramid
    from artgen.gallery.works.settings import SiteSettings
    from artgen.gallery.works.work import Artwork
    from artgen.runs.provenance import UsedFile

# What was done, where the stage before had the same size.
SLIDER_LABEL_BY_STEP_USE = {
    "style": "styled",
    "grade": "graded",
    "grain": "grain",
    "mix": "mixed",
    "upscale": "re-imagined",
}
# With more stages the slider's ends have no room for words.
MAX_LABELLED_STAGES = 5
# Proportions this near are the same: thumbnails are whole pixels.
MAX_EQUAL_RATIO_DIFFERENCE = 0.04
# What a piece gives up of the window's height: the header above it, and a beginning of its label.
RESERVED_PAGE_PX = 210  # px


@dataclass(frozen=True)
class PieceStage:
    """A stage of the recipe as a piece's page shows it.

    Attributes:
        name: what was done, as ``Re-imagined``.
        tick: the little there is room for under the slider, as ``256``.
        alt: alternative text.
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
    """A published artwork with the texts and files that its page shows. Paths are relative to the site.

    Attributes:
        slug: its part of every address.
        series: which of the site's series it hangs in, from 0.
        number: as ``No. 7``; empty for a plain picture.
        title: the artist's, or the recipe's and the number, or the file's name.
        caption: the recipe's; empty if it only says title and number again.
        alt: alternative text: the artist's, or the caption.
        at: when it was picked or taken, ISO 8601 or a year alone; empty where it is not known.
        file_time: when its file was changed, ISO 8601, for feeds, which require a date.
        process: the wall label's line; empty for a plain picture.
        edition: in words; empty without.
        image: the work; of a film its poster.
        film: None for a picture.
        original: None where visitors are not given it.
        pyramid: None where there is no more to see by zooming.
        card: the JPEG that stands for the page where its link is shown.
        stages: from the source to the last step; empty for a plain picture.
        making: None for a plain picture.
        film_loops: whether its film is played again and again.
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
    file_time: str
    process: str
    edition: str
    image: RenditionSet
    film: FilmFile | None
    original: OriginalFile | None
    pyramid: TilePyramid | None
    card: str
    stages: tuple[PieceStage, ...] = ()
    making: Making | None = None
    models: tuple[ModelCard, ...] = ()
    film_loops: bool = False
    index: int | None = None
    seed: int | None = None
    recipe: str = ""
    reproduce: str = ""

    @property
    def year(self) -> int | None:
        """Year in which the piece was picked or taken; None where it is not known."""
        return dates.parse_year(self.at)

    @property
    def file(self) -> str:
        """File name of the piece's page within ``pieces/``."""
        return f"{self.slug}.html"

    @property
    def page(self) -> str:
        """Path of the piece's page, relative to the site."""
        return f"pieces/{self.file}"

    @property
    def width(self) -> int:
        """Width of the piece, px."""
        return self.film.width if self.film else self.image.width

    @property
    def height(self) -> int:
        """Height of the piece, px."""
        return self.film.height if self.film else self.image.height

    @property
    def ratio(self) -> float:
        """Width of the piece divided by its height."""
        return round(self.width / self.height, 4)

    @property
    def largest(self) -> tuple[str, int]:
        """The piece's widest JPEG rendition and its width, px."""
        return self.image.files["jpg"][-1] if self.image.files else (self.image.source, self.image.width)

    @property
    def pictures(self) -> tuple[UsedFile, ...]:
        """The files used to make the piece, except models."""
        files = self.making.files if self.making else ()
        return tuple(file for file in files if not file.name.endswith(MODEL_FILE_ENDING))

    @property
    def before(self) -> PieceStage:
        """The first stage of the piece's own proportions, so that both can lie one over the other."""
        last = self.stages[-1]
        for stage in self.stages[:-1]:
            if abs(stage.width * last.height / (stage.height * last.width) - 1) < MAX_EQUAL_RATIO_DIFFERENCE:
                return stage
        return self.stages[0]

    @property
    def sizes(self) -> str:
        """The ``sizes`` attribute of the piece on its own page, for choosing among renditions."""
        return f"(max-width: 719px) 90vw, min(88vw, calc((100vh - {RESERVED_PAGE_PX}px) * {self.ratio}))"

    @property
    def label(self) -> str:
        """Text below the piece next to others: its number if the title says no more, else the title."""
        return self.number if self.number and self.title.endswith(f", {self.number.lower()}") else self.title


def make_piece(work: Artwork, rendered: RenderedArtwork, settings: SiteSettings) -> Piece:
    """Build the data of a piece's page from an artwork and its rendered files."""
    piece = Piece(
        slug=work.slug,
        series=work.series,
        number=work.number,
        title=work.title,
        caption=work.caption,
        alt=work.alt,
        at=work.picked_at or rendered.taken,
        file_time=dates.read_file_time(work.source).isoformat(),
        process=describe_process(work.candidate) if work.candidate else "",
        edition=settings.edition,
        image=rendered.image,
        film=rendered.film,
        original=rendered.original,
        pyramid=rendered.pyramid,
        card=rendered.card,
        film_loops=work.film_loops,
    )
    if work.candidate is None or work.recipe is None:
        return piece
    piece_making = describe_making(work.recipe, work.candidate)
    return replace(
        piece,
        stages=_make_stages(work, rendered),
        making=piece_making,
        models=read_model_cards(piece_making.files),
        index=work.candidate.index,
        seed=work.candidate.seed,
        recipe=work.recipe.strip(),
        reproduce=_reproduce_command(work, work.candidate.index, rendered.original),
    )


def _reproduce_command(work: Artwork, index: int, original: OriginalFile | None) -> str:
    if original:
        return f"artgen reproduce {PurePath(original.file).name}"
    preview = " --preview" if work.run.endswith("-preview") else ""
    return f"artgen run recipe.toml --only {index}{preview}"


def _make_stages(work: Artwork, rendered: RenderedArtwork) -> tuple[PieceStage, ...]:
    uses = [stage.use for stage in work.candidate.stages] if work.candidate else []
    stages: list[PieceStage] = []
    for stage, use, image in zip(work.stages, uses, rendered.stages, strict=False):
        if image is None:
            continue
        size = (stage.width, stage.height)
        if (
            not stages
            and max(size) <= MAX_ENLARGED_PICTURE_SIDE_PX
            and len(work.stages) <= MAX_LABELLED_STAGES
        ):
            tick = "thumbnail"
        elif not stages or size != (stages[-1].width, stages[-1].height):
            tick = str(max(size))
        else:
            tick = SLIDER_LABEL_BY_STEP_USE.get(use, stage.name.lower())
        stages.append(PieceStage(stage.name, tick, stage.alt, stage.width, stage.height, image))
    return tuple(stages)
