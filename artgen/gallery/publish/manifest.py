"""The manifest of a published site: artgen's files, and hashes of what each artwork was made from."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter

from artgen.gallery.media.render import RenderedArtwork

MANIFEST_FILE = ".artgen-gallery.json"
MANIFEST_FORMAT = 3
MAX_PICTURE_SIDE_PX = 1 << 20
MAX_FILE_NAME_BYTES = 255  # of a file, in all common file systems
# What nearly all names look like; thousands of them are looked at whenever a site is published.
_PLAIN_FILE_NAME_PATTERN = re.compile(r"(?:[a-z0-9_][\w-]{0,99}/)*[\w-][\w.-]{0,199}", re.ASCII)


@dataclass(frozen=True)
class PublishedArtwork:
    """An artwork as the manifest records it: what it was made from, and its files.

    Attributes:
        parts: hashes of everything that determined its files, by the names in ``ARTWORK_REASONS``.
        rendered: what was made.
        files: every file of it, relative to the site.
    """

    parts: dict[str, str]
    rendered: RenderedArtwork
    files: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """The content of ``.artgen-gallery.json``: what a published site was made from.

    Attributes:
        works: by slug.
        pages: SHA-256 of each page's text, by path.
        decided: hashes of everything that determined the pages, by the names in ``PAGE_REASONS``.
        files: every file that artgen made, relative to the site, with its size in bytes.
    """

    works: dict[str, PublishedArtwork] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    decided: dict[str, str] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)

    @property
    def series(self) -> tuple[str, ...]:
        """Slugs of the series that the site shows, in order."""
        return tuple(
            name.removeprefix("series/").removesuffix(".html")
            for name in self.pages
            if name.startswith("series/") and name.endswith(".html")
        )

    def text(self) -> str:
        """Return the manifest as JSON, without ``files``, which are added when the site is complete."""
        works = {slug: asdict(work) for slug, work in self.works.items()}
        content = {"format": MANIFEST_FORMAT, "decided": self.decided, "works": works, "pages": self.pages}
        return json.dumps(content)


def read_manifest(site: Path) -> Manifest:
    """Read the manifest of the site in a folder; an empty one where there is none or it is damaged."""
    try:
        content = json.loads((site / MANIFEST_FILE).read_bytes())
        if content["format"] != MANIFEST_FORMAT:
            return Manifest()
        manifest = _manifest_adapter().validate_python(content)
        artwork_files = [name for artwork in manifest.works.values() for name in artwork.files]
        if len(artwork_files) != len(set(artwork_files)):
            return Manifest()
        names = {*manifest.files, *artwork_files}
        if not all(_PLAIN_FILE_NAME_PATTERN.fullmatch(name) or is_safe_file_name(name) for name in names):
            return Manifest()
        return (
            manifest
            if all(_has_sizes(artwork.rendered) for artwork in manifest.works.values())
            else Manifest()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Manifest()


def read_manifest_files(site: Path) -> frozenset[str] | None:
    """Return the names of artgen's files in a site's folder; None if artgen made no site there."""
    try:
        return parse_manifest_files((site / MANIFEST_FILE).read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def parse_manifest_files(manifest: str) -> frozenset[str] | None:
    """Return the names of artgen's files in a manifest's text; None if it is no manifest.

    Unsafe names are ignored, because a manifest from elsewhere may have been changed to point out of the
    site.
    """
    try:
        names = json.loads(manifest)["files"]
        return frozenset(name for name in names if isinstance(name, str) and is_safe_file_name(name))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def is_safe_file_name(name: str) -> bool:
    """Whether a relative POSIX name stays within the site's folder and out of ``.git``."""
    parts = PurePosixPath(name).parts
    is_plain_text = not set("\\\0\n\r") & set(name)
    try:
        is_plain_text &= all(len(os.fsencode(part)) <= MAX_FILE_NAME_BYTES for part in parts)
    except UnicodeEncodeError:
        return False
    return is_plain_text and bool(parts) and not name.startswith("/") and not {"..", ".git"} & set(parts)


@cache
def _manifest_adapter() -> TypeAdapter[Manifest]:
    """Return what turns parsed JSON into a manifest, or raises a ``ValueError``."""
    return TypeAdapter(Manifest)


def _has_sizes(rendered: RenderedArtwork) -> bool:
    """Return whether the pictures of an artwork have possible widths and heights."""
    pictures = [rendered.image, *filter(None, rendered.stages)]
    sides = [width for picture in pictures for files in picture.files.values() for _, width in files]
    sides += [side for picture in pictures for side in (picture.width, picture.height)]
    sides += [rendered.film.width, rendered.film.height] if rendered.film else []
    return all(1 <= side <= MAX_PICTURE_SIDE_PX for side in sides)
