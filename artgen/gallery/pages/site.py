"""Data of the whole site for its templates: series of pieces in rows or columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from artgen.gallery.pages import layout
from artgen.gallery.pages.pieces import Piece, make_piece

if TYPE_CHECKING:
    from artgen.gallery.media.render import RenderedArtwork
    from artgen.gallery.works.settings import SiteSettings
    from artgen.gallery.works.work import ArtworkCollection

CONTENT_WIDTH_VW = 88  # vw: the window less its two margins of 6 vw
COLUMN_COUNTS = {"one": 1, "two": 2, "three": 3}
MAX_HOME_PIECES = 6
"""How many pieces of a series hang on the home page before a link to the rest."""


@dataclass(frozen=True)
class Row:
    """Pieces shown side by side on a page.

    Attributes:
        pieces: from left to right.
        ratio: the sum of theirs: the row's width divided by its height.
        columns: how many places the row has, where pieces hang in columns; 0 in justified rows.
    """

    pieces: tuple[Piece, ...]
    ratio: float
    columns: int = 0

    def sizes(self, piece: Piece) -> str:
        """Return the ``sizes`` attribute of ``piece`` in this row for choosing among its renditions."""
        share = CONTENT_WIDTH_VW * (1 / self.columns if self.columns else piece.ratio / self.ratio)
        return f"(max-width: 719px) 90vw, {share:.1f}vw"


@dataclass(frozen=True)
class Series:
    """The pieces of one run or folder, which share a page.

    Attributes:
        slug: its part of the address.
        title: its heading.
        statement: below it; empty without.
        drawn: how many candidates its pieces were chosen from; 0 for a folder of pictures.
        pieces: in order.
        rows: all of them as they hang on the series' page.
        beginning: the rows on the home page.
    """

    slug: str
    title: str
    statement: str
    drawn: int
    pieces: tuple[Piece, ...]
    rows: tuple[Row, ...]
    beginning: tuple[Row, ...]

    @property
    def file(self) -> str:
        """File name of the series' page within ``series/``."""
        return f"{self.slug}.html"

    @property
    def page(self) -> str:
        """Path of the series' page, relative to the site."""
        return f"series/{self.file}"

    @property
    def slides(self) -> str:
        """Path of the script with the series' pictures for the lightbox, relative to the site."""
        return f"series/{self.slug}.js"

    @property
    def hidden(self) -> int:
        """How many of the series' pieces the home page leaves out."""
        return len(self.pieces) - sum(len(row.pieces) for row in self.beginning)


@dataclass(frozen=True)
class Site:
    """Data of the whole site that every page's template can use.

    Attributes:
        title: the artist's, or the series' own.
        statement: below it; empty without.
        series: in the order in which they hang.
        settings: what the artist says of it.
        about: the page about the artist, in Markdown; empty without.
        new_addresses: where files that it names are, by the address in the text.
    """

    title: str
    statement: str
    series: tuple[Series, ...]
    settings: SiteSettings
    about: str = ""
    new_addresses: Mapping[str, str] = field(default_factory=dict)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All pieces of the site, in order."""
        return tuple(piece for series in self.series for piece in series.pieces)

    @property
    def hero(self) -> Piece | None:
        """The piece that the home page shows large."""
        return next(iter(self.pieces), None)

    @property
    def description(self) -> str:
        """Description of the site in a sentence or two."""
        if self.statement or not self.series:
            return self.statement or self.title
        return self.series[0].statement or self.title

    @property
    def drawn(self) -> int:
        """How many candidates the site's pieces were chosen from."""
        return sum(series.drawn for series in self.series)


def make_site(
    collection: ArtworkCollection,
    rendered: Mapping[str, RenderedArtwork],
    settings: SiteSettings,
    about: str = "",
    new_addresses: Mapping[str, str] | None = None,
) -> Site:
    """Make the data of a site from its artworks and their rendered files.

    Args:
        collection: the works; one whose slug is not in ``rendered`` could not be made and is left out.
        rendered: by slug.
        settings: of the site.
        about: the page about the artist, in Markdown.
        new_addresses: where files that it names are, by the address in the text.
    """
    pieces_by_series: list[list[Piece]] = [[] for _ in collection.series]
    for work in collection.works:
        if work.slug in rendered:
            pieces_by_series[work.series].append(make_piece(work, rendered[work.slug], settings))
    series: list[Series] = []
    for series_texts, pieces in zip(collection.series, pieces_by_series, strict=True):
        if not pieces:
            continue
        # The hero is seen already, so the wall below it goes on without.
        beginning = pieces[1:] if not series and len(pieces) > 1 else pieces
        series.append(
            Series(
                slug=series_texts.slug,
                title=series_texts.title,
                statement=series_texts.statement,
                drawn=series_texts.drawn,
                pieces=tuple(pieces),
                rows=hang_rows(pieces, settings.layout),
                beginning=hang_rows(beginning[:MAX_HOME_PIECES], settings.layout),
            )
        )
    return Site(
        title=settings.title or _join_titles([part.title for part in series]),
        statement=settings.statement,
        series=tuple(series),
        settings=settings,
        about=about,
        new_addresses=new_addresses or {},
    )


def hang_rows(pieces: Sequence[Piece], kind: str = "rows") -> tuple[Row, ...]:
    """Arrange a series' pieces in justified rows, or in one, two or three columns."""
    columns = COLUMN_COUNTS.get(kind, 0)
    if columns:
        split = [
            list(range(start, min(start + columns, len(pieces)))) for start in range(0, len(pieces), columns)
        ]
    else:
        split = layout.split_into_rows([piece.ratio for piece in pieces])
    return tuple(
        Row(
            tuple(pieces[start] for start in row),
            round(sum(pieces[start].ratio for start in row), 4),
            columns,
        )
        for row in split
    )


def _join_titles(titles: Sequence[str]) -> str:
    unique_titles = list(dict.fromkeys(titles))
    return " and ".join(unique_titles) if 0 < len(unique_titles) <= 2 else "Gallery"
