"""What a page's head tells machines: its canonical address, its card where a link is shown, JSON-LD.

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

HOME = "index.html"


@dataclass(frozen=True)
class Head:
    """One page's.

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


def head_of_site(
    site: Site, path: str, heading: str, description: str = "", shown: Piece | None = None
) -> Head:
    """Of a page that shows several pieces, or none.

    Args:
        site: the whole.
        path: of the page; empty for one that is at no address of its own.
        heading: of the page.
        description: by default the site's.
        shown: the piece that stands for it; by default the hero.
    """
    shown = shown or site.hero
    data: dict[str, Any] = {}
    if path == HOME:
        data = {"@type": "WebSite", "name": site.title, "description": site.description}
        data |= {"inLanguage": site.settings.language} | _artist(site)
        if canonical := _address(site, path):
            data["url"] = canonical
    return Head(
        title=heading if heading == site.title else f"{heading} – {site.title}",
        heading=heading,
        description=_sentence(description or site.description),
        kind="website",
        canonical=_address(site, path) if path else "",
        image=_address(site, shown.card) if shown else "",
        image_alt=shown.alt if shown else "",
        data=_embedded(data),
    )


def head_of_piece(site: Site, piece: Piece) -> Head:
    """Of a piece's page."""
    data: dict[str, Any] = {
        "@type": "VideoObject" if piece.film else "VisualArtwork",
        "name": piece.title,
        "description": piece.alt,
        "width": {"@type": "QuantitativeValue", "value": piece.width, "unitText": "px"},
        "height": {"@type": "QuantitativeValue", "value": piece.height, "unitText": "px"},
    } | _artist(site, "creator")
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
    if canonical := _address(site, piece.page):
        data |= {"url": canonical, "image": _address(site, piece.largest[0])}
        data["thumbnailUrl"] = _address(site, piece.image.source)
        if piece.film:
            data["contentUrl"] = _address(site, piece.film.file)
    return Head(
        title=piece.title if piece.title == site.title else f"{piece.title} – {site.title}",
        heading=piece.title,
        description=_sentence(piece.alt or piece.title),
        kind="article",
        canonical=canonical,
        image=_address(site, piece.card),
        image_alt=piece.alt,
        data=_embedded(data),
    )


def _artist(site: Site, role: str = "author") -> dict[str, Any]:
    if not site.settings.artist:
        return {}
    person: dict[str, Any] = {"@type": "Person", "name": site.settings.artist}
    if addresses := [link.url for link in site.settings.links if link.url.startswith("http")]:
        person["sameAs"] = addresses
    return {role: person}


def _address(site: Site, path: str) -> str:
    base = site.settings.base_url
    return f"{base}{'' if path == HOME else path}" if base else ""


def _sentence(text: str) -> str:
    """On one line, and no longer than search engines show."""
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:199].rsplit(' ', 1)[0]}…"


def _embedded(data: dict[str, Any]) -> str:
    """JSON that no title can leave: without ``<``, so without ``</script>`` and ``<!--``."""
    if not data:
        return ""
    text = json.dumps({"@context": "https://schema.org", **data}, ensure_ascii=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
