"""What artgen last published into a folder: whose files they are, and from what each work was made."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from artgen.gallery.deploy.upload_set import is_safe_file_name
from artgen.gallery.media.render import FilmFile, OriginalFile, RenderedArtwork
from artgen.gallery.media.renditions import RenditionSet
from artgen.gallery.media.zoom import TilePyramid
from artgen.gallery.publish.staging import MANIFEST

FORMAT = 3
# What nearly all names look like; thousands of them are looked at whenever a site is published.
_PLAIN = re.compile(r"(?:[a-z0-9_][\w-]*/)*[\w-][\w.-]*", re.ASCII)


@dataclass(frozen=True)
class Made:
    """A work as it was published.

    Attributes:
        parts: hashes of all that decided its files, by what each is of: a plan can say which changed.
        rendered: what was made.
        files: every file of it, relative to the site.
    """

    parts: dict[str, str]
    rendered: RenderedArtwork
    files: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """The content of ``.artgen-gallery.json``.

    Attributes:
        works: by slug.
        pages: SHA-256 of each page's text, by path.
        decided: hashes of all that decided the pages, by what each is of.
        files: everything of ours, relative to the site, with its size in bytes.
    """

    works: dict[str, Made] = field(default_factory=dict)
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
        """As it is written, but for ``files``, which are counted when the site is complete."""
        works = {slug: asdict(made) for slug, made in self.works.items()}
        said = {"format": FORMAT, "decided": self.decided, "works": works, "pages": self.pages}
        return json.dumps(said)


def read(site: Path) -> Manifest:
    """Read the manifest of the site in a folder; an empty one where there is none or it is damaged."""
    try:
        said = json.loads((site / MANIFEST).read_bytes())
        if said["format"] != FORMAT:
            return Manifest()
        works = {
            slug: Made(dict(made["parts"]), _rendered(made["rendered"]), tuple(made["files"]))
            for slug, made in said["works"].items()
        }
        files = dict(said["files"])
        # A site may come from elsewhere: no name in it may lead out of it.
        named = {*files, *(name for made in works.values() for name in made.files)}
        if not all(_PLAIN.fullmatch(name) or is_safe_file_name(name) for name in named):
            return Manifest()
        return Manifest(works, dict(said["pages"]), dict(said["decided"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Manifest()


def _rendered(said: Mapping[str, Any]) -> RenderedArtwork:
    return RenderedArtwork(
        image=_picture(said["image"]),
        stages=tuple(_picture(stage) if stage else None for stage in said["stages"]),
        original=OriginalFile(**said["original"]) if said["original"] else None,
        pyramid=TilePyramid(**said["pyramid"]) if said["pyramid"] else None,
        film=FilmFile(**said["film"]) if said["film"] else None,
        card=said["card"],
        taken=said["taken"],
        withheld=said.get("withheld", ""),
    )


def _picture(said: Mapping[str, Any]) -> RenditionSet:
    listed = {kind: tuple((name, width) for name, width in each) for kind, each in said["files"].items()}
    return RenditionSet(**{**said, "files": listed})
