"""Files beside ``about.md`` that it names: a portrait, a CV. They go along with the site."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from artgen.errors import ArtgenError
from artgen.gallery.media.originals import published_ending, write_original
from artgen.gallery.media.xmp import EmbeddedMetadata, build_xmp_packet
from artgen.gallery.pages import about
from artgen.gallery.works.folders import title_from_file_name

if TYPE_CHECKING:
    from artgen.gallery.works.settings import SiteSettings

FOLDER = "files"
"""Of the site; of their own, so that none takes the name of a page or of a work's file."""


@dataclass(frozen=True)
class Enclosure:
    """A file that goes along.

    Attributes:
        address: as the text names it.
        source: where it lies.
        file: where it goes, relative to the site.
    """

    address: str
    source: Path
    file: str

    @property
    def link(self) -> str:
        """What stands in the place of ``address`` on the page."""
        fragment = urlsplit(self.address).fragment
        return quote(self.file) + (f"#{fragment}" if fragment else "")


def enclosures(settings: SiteSettings) -> tuple[Enclosure, ...]:
    """Every file in the folder of ``about.md``, and in folders of that, that the text names.

    Raises:
        ArtgenError: the text itself cannot be used.
    """
    return tuple(found for found in _named(settings) if isinstance(found, Enclosure))


def problems(settings: SiteSettings, site: Path, own: Collection[str]) -> tuple[ArtgenError, ...]:
    """Files that the text names and that are neither beside it nor in the site.

    Args:
        settings: of the site.
        site: its folder, in which the artist may have put files by hand.
        own: what the site will have, relative to it.
    """
    missing = [found for found in _named(settings) if isinstance(found, PurePosixPath)]
    file = settings.find_about_file()
    return tuple(
        ArtgenError(f"{file}: {path}", "no such file in its folder", "copy it there, or take the link out")
        for path in missing
        if str(path) not in own and not (site / path).exists()
    )


def write(enclosure: Enclosure, target: Path) -> None:
    """Copy it; a picture or film without the place where it was taken.

    Raises:
        ArtgenError: a damaged picture, or one that cannot be copied without loss or without the place.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    words = EmbeddedMetadata(title_from_file_name(enclosure.source), "", "", "", "", "artgen")
    write_original(enclosure.source, target, build_xmp_packet(words))


def _named(settings: SiteSettings) -> list[Enclosure | PurePosixPath]:
    """Files that are there, and paths of those that are not."""
    text = settings.find_about_file()
    if text is None:
        return []
    folder = text.parent.resolve()
    found: list[Enclosure | PurePosixPath] = []
    for address in dict.fromkeys(about.addresses(text.read_text("utf-8-sig", "replace"))):
        path = PurePosixPath(unquote(urlsplit(address).path))
        # Without an ending it is an address on the server, as `shop/` or `/`.
        if not path.suffix or path.is_absolute() or "\0" in str(path):
            continue
        source = folder / path
        if source.is_file() and source.resolve().is_relative_to(folder) and ".." not in path.parts:
            ending = published_ending(source)  # another one is added: me.avif and me.png may both be there
            added = "" if ending == path.suffix.lower() else ending
            found.append(Enclosure(address, source, f"{FOLDER}/{path}{added}"))
        else:
            found.append(path)
    return found
