"""Text of every page and feed of a site; reads only templates and writes no file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import ArtgenError
from artgen.gallery.pages import about, csp, feeds, templates
from artgen.gallery.pages.head_metadata import PageHead, describe_piece_head, describe_site_head
from artgen.version import __version__

if TYPE_CHECKING:
    from artgen.gallery.pages.site import Series, Site


RIGHT_TO_LEFT_LANGUAGES = {"ar", "he", "fa", "ur"}


def build_pages(site: Site, own_templates: Path | None = None) -> Iterator[tuple[str, str]]:
    """Yield the path, relative to the site, and the text of each page, script and feed.

    Args:
        site: what hangs in it.
        own_templates: the artist's folder of templates, whose files stand in the place of ours.

    Raises:
        ArtgenError: a template of the artist's is wrong, or takes too much.
    """
    if own_templates is None:
        yield from render_pages(site)
    else:
        from artgen.gallery.pages.isolated import render_isolated

        yield from render_isolated(site, own_templates)
    for series in site.series:
        yield series.slides, _build_slides_script(series)
    yield from feeds.build_feed_files(site)
    yield "_headers", csp.build_headers_file()


def render_pages(site: Site, own_templates: Path | None = None) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each HTML page, rendered in this process: see ``build_pages``."""
    try:
        yield from _render_templates(site, templates.create_environment(own_templates))
    except ArtgenError:
        raise
    except Exception as error:
        # A template is a program, and the artist's may fail in any way; ours alone are our own mistake.
        if own_templates is None:
            raise
        raise templates.describe_template_error(error, own_templates) from error


def _render_templates(site: Site, environment: Any) -> Iterator[tuple[str, str]]:
    shared = {
        "site": site,
        "settings": site.settings,
        "version": __version__,
        "policy": csp.META_CONTENT_SECURITY_POLICY,
        "feeds": feeds.list_feeds(site),
        "ours": _english_text_attributes(site.settings.language),
        "direction": ' dir="rtl"'
        if _base_language(site.settings.language) in RIGHT_TO_LEFT_LANGUAGES
        else "",
    }

    def render(template: str, path: str, head: PageHead, **values: Any) -> tuple[str, str]:
        root = "../" * path.count("/")
        if begin := getattr(environment, "begin_page", None):
            begin()
        text = environment.get_template(template).render(
            **shared, path=path, head=head, **{"root": root} | values
        )
        return path, text

    yield render(
        "index.html", "index.html", describe_site_head(site, "index.html", site.title, site.description)
    )
    for series in site.series:
        head = describe_site_head(
            site, series.page, series.title, series.statement or site.description, series.pieces[0]
        )
        yield render("series.html", series.page, head, series=series)
    hung_pieces = [(series, piece) for series in site.series for piece in series.pieces]
    for position, (series, piece) in enumerate(hung_pieces):
        yield render(
            "piece.html",
            piece.page,
            describe_piece_head(site, piece),
            piece=piece,
            series=series,
            previous=hung_pieces[position - 1][1] if position else None,
            next=hung_pieces[position + 1][1] if position + 1 < len(hung_pieces) else None,
        )
    if site.about.strip():
        title = about.read_title(site.about)
        text = about.render_markdown(about.remove_title(site.about), site.new_addresses)
        yield render(
            "about.html", "about.html", describe_site_head(site, "about.html", title), title=title, text=text
        )
    # A server sends this page for any address, so it can only point the way if it knows where home is.
    yield render(
        "404.html",
        "404.html",
        describe_site_head(site, "", "Not here"),
        root=feeds.url_path(site.settings.base_url),
    )


def _base_language(language: str) -> str:
    return language.partition("-")[0].lower()


def _english_text_attributes(language: str) -> str:
    """Return the attributes of elements with artgen's own, English words on a site in another language."""
    return "" if _base_language(language) == "en" else ' lang="en" dir="ltr"'


def _build_slides_script(series: Series) -> str:
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
                ending: [list(file) for file in listed] for ending, listed in piece.image.files.items()
            },
            "pixelated": piece.image.pixelated,
        }
        for piece in series.pieces
        if not piece.film
    ]
    return f"globalThis.artgenSlides = {json.dumps(slides, separators=(',', ':'))};\n"
