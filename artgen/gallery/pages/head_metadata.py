"""Metadata in a page's head: canonical address, link preview (Open Graph) and JSON-LD.

Vocabulary: ogp.me, developer.x.com (cards), schema.org/VisualArtwork. Addresses there must be absolute, so
they are only given when the site's base URL is known.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from artgen.gallery.media.xmp import GENERATED_SOURCE_TYPE

if TYPE_CHECKING:
    from artgen.gallery.pages.pieces import Piece
    from artgen.gallery.pages.site import Site

HOME_PAGE_FILE_NAME = "index.html"


@dataclass(frozen=True)
class PageHead:
    """Metadata in the head of one of the site's pages: address, link preview, JSON-LD.

    Attributes:
        title: of the page, with the site's.
        heading: of the page alone.
        description: a sentence or two.
        kind: as Open Graph calls it.
        canonical: the page's address; empty where it is not known.
        image: address of the picture that stands for it; empty where it is not known.
        image_alt: that picture's text.
        data: JSON-LD, safe inside a script element; empty without.
    """

    title: str
    heading: str
    description: str
    kind: str
    canonical: str
    image: str
    image_alt: str
    data: str


def describe_site_head(
    site: Site, path: str, heading: str, description: str = "", representative: Piece | None = None
) -> PageHead:
    """Build the head metadata of a page that shows several pieces, or none.

    Args:
        site: the whole.
        path: of the page; empty for one that is at no address of its own.
        heading: of the page.
        description: by default the site's.
        representative: the piece that stands for it; by default the hero.
    """
    representative = representative or site.hero
    data: dict[str, Any] = {}
    if path == HOME_PAGE_FILE_NAME:
        data = {"@type": "WebSite", "name": site.title, "description": site.description}
        data |= {"inLanguage": site.settings.language} | _describe_artist(site)
        if canonical := _absolute_address(site, path):
            data["url"] = canonical
    return PageHead(
        title=heading if heading == site.title else f"{heading} – {site.title}",
        heading=heading,
        description=_shorten(description or site.description),
        kind="website",
        canonical=_absolute_address(site, path) if path else "",
        image=_absolute_address(site, representative.card) if representative else "",
        image_alt=representative.alt if representative else "",
        data=_encode_json_ld(data),
    )


def describe_piece_head(site: Site, piece: Piece) -> PageHead:
    """Build the head metadata of a piece's page."""
    data: dict[str, Any] = {
        "@type": "VideoObject" if piece.film else "VisualArtwork",
        "name": piece.title,
        "description": piece.alt,
        "width": {"@type": "QuantitativeValue", "value": piece.width, "unitText": "px"},
        "height": {"@type": "QuantitativeValue", "value": piece.height, "unitText": "px"},
    } | _describe_artist(site, "creator")
    if not piece.film:
        data |= {"artform": "Generative art", "artMedium": piece.process or "Digital image"}
    if piece.year:
        data["dateCreated"] = str(piece.year)
    if piece.edition:
        data["artEdition"] = piece.edition
    if piece.making:
        data["digitalSourceType"] = GENERATED_SOURCE_TYPE
    if site.settings.rights:
        data["copyrightNotice"] = site.settings.rights
    if canonical := _absolute_address(site, piece.page):
        data |= {"url": canonical, "image": _absolute_address(site, piece.largest[0])}
        data["thumbnailUrl"] = _absolute_address(site, piece.image.source)
        if piece.film:
            data["contentUrl"] = _absolute_address(site, piece.film.file)
    return PageHead(
        title=piece.title if piece.title == site.title else f"{piece.title} – {site.title}",
        heading=piece.title,
        description=_shorten(piece.alt or piece.title),
        kind="article",
        canonical=canonical,
        image=_absolute_address(site, piece.card),
        image_alt=piece.alt,
        data=_encode_json_ld(data),
    )


def _describe_artist(site: Site, role: str = "author") -> dict[str, Any]:
    if not site.settings.artist:
        return {}
    person: dict[str, Any] = {"@type": "Person", "name": site.settings.artist}
    if addresses := [link.url for link in site.settings.links if link.url.startswith("http")]:
        person["sameAs"] = addresses
    return {role: person}


def _absolute_address(site: Site, path: str) -> str:
    base = site.settings.base_url
    return f"{base}{'' if path == HOME_PAGE_FILE_NAME else path}" if base else ""


def _shorten(text: str) -> str:
    """Return a page's description on one line, cut to the 200 characters that search engines show."""
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:199].rsplit(' ', 1)[0]}…"


def _encode_json_ld(data: dict[str, Any]) -> str:
    """Encode JSON-LD for a script element: without ``<``, so no title can end it."""
    if not data:
        return ""
    text = json.dumps({"@context": "https://schema.org", **data}, ensure_ascii=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
