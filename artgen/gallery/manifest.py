"""What artgen last published into a folder: whose files they are, and from what each work was made."""

from __future__ import annotations

from dataclasses import dataclass, field

from artgen.gallery.workshop import Rendered

FILE = ".artgen-gallery.json"


@dataclass(frozen=True)
class Made:
    """A work as it was published.

    Attributes:
        key: hash of all that decided its files: contents, words, settings.
        parts: the same, apart, so that a plan can say which of them changed.
        rendered: what was made.
        files: every file of it, relative to the site.
    """

    key: str
    parts: dict[str, str]
    rendered: Rendered
    files: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """The content of ``.artgen-gallery.json``.

    Attributes:
        works: by slug.
        pages: hash of each page's text, by path.
        files: everything of ours, relative to the site.
        pages_key: hash of all that decided the pages.
    """

    works: dict[str, Made] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    pages_key: str = ""
