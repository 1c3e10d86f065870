"""Every page and text of a site, from its pieces alone: nothing is read but templates, nothing written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import ArtgenError
from artgen.gallery.pages import about, csp, feeds, templates
from artgen.gallery.pages.head_metadata import Head, head_of_piece, head_of_site
from artgen.version import __version__

if TYPE_CHECKING:
    from artgen.gallery.pages.site import Series, Site


FROM_THE_RIGHT = {"ar", "he", "fa", "ur"}


def pages(site: Site, own: Path | None = None) -> Iterator[tuple[str, str]]:
    """Each page's path, relative to the site, and its text.

    Args:
        site: what hangs in it.
        own: the artist's folder of templates, whose files stand in the place of ours.

    Raises:
        ArtgenError: a template of the artist's is wrong, or takes too much.
    """
    if own is None:
        yield from html(site)
    else:
        from artgen.gallery.pages.isolated import rendered

        yield from rendered(site, own)
    for series in site.series:
        yield series.slides, _slides(series)
    yield from feeds.texts(site)
    yield "_headers", csp.headers()


def html(site: Site, own: Path | None = None) -> Iterator[tuple[str, str]]:
    """Each HTML page's path, and its text, rendered in this process: see ``pages``."""
    try:
        yield from _html(site, templates.environment(own))
    except ArtgenError:
        raise
    except Exception as error:
        # A template is a program, and the artist's may fail in any way; ours alone are our own mistake.
        if own is None:
            raise
        raise templates.problem(error, own) from error


def _html(site: Site, environment: Any) -> Iterator[tuple[str, str]]:
    shared = {
        "site": site,
        "settings": site.settings,
        "version": __version__,
        "policy": csp.META,
        "feeds": feeds.offered(site),
        "ours": _ours(site.settings.language),
        "direction": ' dir="rtl"' if _written(site.settings.language) in FROM_THE_RIGHT else "",
    }

    def render(template: str, path: str, head: Head, **values: Any) -> tuple[str, str]:
        root = "../" * path.count("/")
        if begin := getattr(environment, "begin_page", None):
            begin()
        text = environment.get_template(template).render(
            **shared, path=path, head=head, **{"root": root} | values
        )
        return path, text

    yield render("index.html", "index.html", head_of_site(site, "index.html", site.title, site.description))
    for series in site.series:
        head = head_of_site(
            site, series.page, series.title, series.statement or site.description, series.pieces[0]
        )
        yield render("series.html", series.page, head, series=series)
    hung = [(series, piece) for series in site.series for piece in series.pieces]
    for place, (series, piece) in enumerate(hung):
        yield render(
            "piece.html",
            piece.page,
            head_of_piece(site, piece),
            piece=piece,
            series=series,
            previous=hung[place - 1][1] if place else None,
            next=hung[place + 1][1] if place + 1 < len(hung) else None,
        )
    if site.about.strip():
        title = about.title_of(site.about)
        text = about.html_of(about.without_title(site.about), site.moved)
        yield render(
            "about.html", "about.html", head_of_site(site, "about.html", title), title=title, text=text
        )
    # A server sends this page for any address, so it can only point the way if it knows where home is.
    yield render(
        "404.html",
        "404.html",
        head_of_site(site, "", "Not here"),
        root=feeds.path_of(site.settings.base_url),
    )


def _written(language: str) -> str:
    return language.partition("-")[0].lower()


def _ours(language: str) -> str:
    """Attributes of elements that hold our own words, which are English whatever the artist's language is."""
    return "" if _written(language) == "en" else ' lang="en" dir="ltr"'


def _slides(series: Series) -> str:
    """Write a series' pictures for the lightbox as a script: a page from a disk may load no data."""
    slides = [
        {
            "page": piece.page,
            "title": piece.title,
            "alt": piece.alt,
            "src": piece.largest[0],
            "width": piece.largest[1],
            "height": max(1, round(piece.largest[1] / piece.ratio)),
            "files": {
                ending: [list(each) for each in listed] for ending, listed in piece.image.files.items()
            },
            "pixelated": piece.image.pixelated,
        }
        for piece in series.pieces
        if not piece.film
    ]
    return f"globalThis.artgenSlides = {json.dumps(slides, separators=(',', ':'))};\n"
