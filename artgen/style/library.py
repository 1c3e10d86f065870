"""The paintings that ship with artgen, called ``builtin:NAME`` in recipes.

Imports neither torch, numpy nor PIL: ``artgen check`` looks names up here.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.references import PORTRAITS

PREFIX = "builtin:"
BUILTIN = Path(__file__).parent / "builtin"


@dataclass(frozen=True)
class Credit:
    """Who made a painting, when, and where our file of it comes from."""

    name: str
    file: Path
    title: str
    artist: str
    year: str
    source: str
    licence: str

    def __str__(self) -> str:
        return f"{self.artist}, {self.title}, {self.year}"


@cache
def _entries() -> dict[str, Credit]:
    with (BUILTIN / "styles.toml").open("rb") as file:
        styles = tomllib.load(file)["styles"]
    return {entry["name"]: Credit(**{**entry, "file": BUILTIN / entry["file"]}) for entry in styles}


def names() -> list[str]:
    """The builtin paintings' names, without ``builtin:``."""
    return list(_entries())


def credit(name: str) -> Credit:
    """Title, artist, year, source and licence of a builtin painting; ``builtin:`` may be left out.

    Raises:
        ArtgenError: no painting is called so; says which names come near.
    """
    plain = name.removeprefix(PREFIX)
    entries = _entries()
    if plain in entries:
        return entries[plain]
    near = difflib.get_close_matches(plain.lower(), entries, n=2, cutoff=0.5)
    right = f"did you mean {' or '.join(PREFIX + match for match in near)}?" if near else "one of "
    if not near:
        right += ", ".join(PREFIX + known for known in entries)
    raise ArtgenError("style", f"no painting is called '{PREFIX}{plain}'", right)


def resolve(reference: str, folder: Path) -> Path:
    """The image file that a recipe means by ``builtin:NAME`` or by a path relative to ``folder``.

    Raises:
        ArtgenError: no such painting, or no such file.
    """
    if reference.startswith(PREFIX):
        return credit(reference).file
    path = folder / Path(reference).expanduser()
    if not path.is_file():
        right = "a file, relative to the recipe's folder"
        if reference.lower() in _entries():
            right = f"did you mean {PREFIX}{reference.lower()}?"
        raise ArtgenError("style", f"no file '{path}'", right)
    return path


def portraits_credit() -> Credit:
    """Return who made the portraits that ship, and what their licence asks to be said."""
    with (PORTRAITS / "credits.toml").open("rb") as file:
        entry = tomllib.load(file)
    fields = {key: entry[key] for key in ("title", "artist", "year", "source", "licence")}
    return Credit(name="portraits", file=PORTRAITS, **fields)
