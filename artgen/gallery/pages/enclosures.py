"""Files next to ``about.md`` that it links to, such as a portrait or a CV: copied into the site."""

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

ENCLOSURES_FOLDER = "files"
"""Folder in the site; a separate one, so that no file has the name of a page or of an artwork's file."""


@dataclass(frozen=True)
class Enclosure:
    """A file that the about page links to, copied into the site.

    Attributes:
        address: as in the text.
        source: the file.
        file: path of the copy, relative to the site.
    """

    address: str
    source: Path
    file: str

    @property
    def link(self) -> str:
        """The address on the about page that replaces ``address``."""
        fragment = urlsplit(self.address).fragment
        return quote(self.file) + (f"#{fragment}" if fragment else "")


def find_enclosures(settings: SiteSettings) -> tuple[Enclosure, ...]:
    """Return the files in the folder of ``about.md``, and in its subfolders, that the text names.

    Raises:
        ArtgenError: the text itself cannot be used.
    """
    return tuple(found for found in _find_named_files(settings) if isinstance(found, Enclosure))


def find_missing_files(
    settings: SiteSettings, site: Path, site_files: Collection[str]
) -> tuple[ArtgenError, ...]:
    """Return an error for each file that ``about.md`` names but that is neither next to it nor in the site.

    Args:
        settings: of the site.
        site: its folder, in which the artist may have put files by hand.
        site_files: what the site will have, relative to it.
    """
    paths = [found for found in _find_named_files(settings) if isinstance(found, PurePosixPath)]
    file = settings.find_about_file()
    return tuple(
        ArtgenError(f"{file}: {path}", "no such file in its folder", "copy it there, or take the link out")
        for path in paths
        if str(path) not in site_files and not (site / path).exists()
    )


def write_enclosure(enclosure: Enclosure, target: Path) -> None:
    """Copy a file of the about page; a picture or film without the location where it was taken.

    Raises:
        ArtgenError: a damaged picture, or one that cannot be copied without loss or without the place.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    metadata = EmbeddedMetadata(title_from_file_name(enclosure.source), "", "", "", "", "artgen")
    write_original(enclosure.source, target, build_xmp_packet(metadata))


def _find_named_files(settings: SiteSettings) -> list[Enclosure | PurePosixPath]:
    """Return the files that ``about.md`` names, and the paths of those that do not exist."""
    about_file = settings.find_about_file()
    if about_file is None:
        return []
    folder = about_file.parent.resolve()
    named_files: list[Enclosure | PurePosixPath] = []
    for address in dict.fromkeys(about.list_own_addresses(about.read_about_text(about_file))):
        path = PurePosixPath(unquote(urlsplit(address).path))
        # Without an ending it is an address on the server, as `shop/` or `/`.
        if not path.suffix or path.is_absolute() or "\0" in str(path):
            continue
        source = folder / path
        if source.is_file() and source.resolve().is_relative_to(folder) and ".." not in path.parts:
            ending = published_ending(source)  # another one is added: me.avif and me.png may both be there
            extra_ending = "" if ending == path.suffix.lower() else ending
            named_files.append(Enclosure(address, source, f"{ENCLOSURES_FOLDER}/{path}{extra_ending}"))
        else:
            named_files.append(path)
    return named_files
