"""Files for feed readers and search engines: Atom (RFC 4287), JSON Feed 1.1, sitemap, robots.txt.

All of them need absolute addresses, so a site without a base URL has none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from xml.etree import ElementTree

from artgen.gallery.media.xmp import remove_invalid_xml_characters
from artgen.gallery.works import dates

if TYPE_CHECKING:
    from artgen.gallery.pages.pieces import Piece
    from artgen.gallery.pages.site import Site

ATOM_FILE, JSON_FEED_FILE = "feed.xml", "feed.json"
_ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
_SITEMAP_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_IMAGE_NAMESPACE = "http://www.google.com/schemas/sitemap-image/1.1"


class Feed(NamedTuple):
    """An Atom or JSON feed as the site's pages link to it."""

    file: str
    kind: str
    name: str


def list_feeds(site: Site) -> tuple[Feed, ...]:
    """Return the site's Atom and JSON feeds."""
    if not site.settings.base_url:
        return ()
    return (
        Feed(ATOM_FILE, "application/atom+xml", "Atom"),
        Feed(JSON_FEED_FILE, "application/feed+json", "JSON Feed"),
    )


def build_feed_files(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each feed, of the sitemap and of robots.txt; nothing without a base URL."""
    if site.settings.base_url:
        yield ATOM_FILE, _build_atom(site)
        yield JSON_FEED_FILE, _build_json_feed(site)
        yield "sitemap.xml", _build_sitemap(site)
        yield "robots.txt", f"User-agent: *\nAllow: /\n\nSitemap: {site.settings.base_url}sitemap.xml\n"


def url_path(address: str) -> str:
    """Return the path in a site's URL: ``/art/`` of ``https://example.org/art/``; empty for none."""
    return urlsplit(address).path or "/" if address else ""


def _build_atom(site: Site) -> str:
    base = site.settings.base_url
    feed = ElementTree.Element("feed", {"xmlns": _ATOM_NAMESPACE, "xml:lang": site.settings.language})
    _add_element(feed, "id", base)
    _add_element(feed, "title", site.title)
    if site.statement:
        _add_element(feed, "subtitle", site.statement)
    ElementTree.SubElement(feed, "link", {"href": base})
    ElementTree.SubElement(feed, "link", {"rel": "self", "href": base + ATOM_FILE})
    _add_element(
        feed,
        "updated",
        max(
            (dates.to_rfc3339(piece.at or piece.file_time) for piece in site.pieces),
            default=dates.UNKNOWN_TIMESTAMP,
        ),
    )
    _add_element(ElementTree.SubElement(feed, "author"), "name", site.settings.artist or site.title)
    if site.settings.rights:
        _add_element(feed, "rights", site.settings.rights)
    for piece in site.pieces:
        entry = ElementTree.SubElement(feed, "entry")
        _add_element(entry, "id", base + piece.page)
        _add_element(entry, "title", piece.title)
        ElementTree.SubElement(entry, "link", {"href": base + piece.page})
        _add_element(entry, "updated", dates.to_rfc3339(piece.at or piece.file_time))
        _add_element(entry, "content", _piece_html(site, piece)).set("type", "html")
    return _serialize_xml(feed)


def _build_json_feed(site: Site) -> str:
    base = site.settings.base_url
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": site.title,
        "home_page_url": base,
        "feed_url": base + JSON_FEED_FILE,
        "description": site.description,
        "language": site.settings.language,
        "items": [
            {
                "id": base + piece.page,
                "url": base + piece.page,
                "title": piece.title,
                "content_html": _piece_html(site, piece),
                "summary": piece.alt,
                "image": base + piece.largest[0],
                "date_published": dates.to_rfc3339(piece.at or piece.file_time),
            }
            for piece in site.pieces
        ],
    }
    if site.settings.artist:
        feed["authors"] = [{"name": site.settings.artist}]
    return json.dumps(feed, ensure_ascii=False, indent=1) + "\n"


def _build_sitemap(site: Site) -> str:
    base = site.settings.base_url
    root = ElementTree.Element("urlset", {"xmlns": _SITEMAP_NAMESPACE, "xmlns:image": _IMAGE_NAMESPACE})
    paths = ["", *(series.page for series in site.series), *(["about.html"] if site.about.strip() else [])]
    for path in paths:
        _add_element(ElementTree.SubElement(root, "url"), "loc", base + path)
    for piece in site.pieces:
        url = ElementTree.SubElement(root, "url")
        _add_element(url, "loc", base + piece.page)
        _add_element(ElementTree.SubElement(url, "image:image"), "image:loc", base + piece.largest[0])
    return _serialize_xml(root)


def _piece_html(site: Site, piece: Piece) -> str:
    """Return a piece's HTML for feed readers."""
    picture, wide = piece.largest
    high = max(1, round(wide / piece.ratio))
    source = escape(site.settings.base_url + picture)
    text = f'<p><img src="{source}" alt="{escape(piece.alt)}" width="{wide}" height="{high}"></p>'
    return text + "".join(f"<p>{escape(line)}</p>" for line in (piece.caption, piece.process) if line)


def _add_element(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, name)
    element.text = remove_invalid_xml_characters(text)
    return element


def _serialize_xml(root: ElementTree.Element) -> str:
    ElementTree.indent(root, " ")
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'
