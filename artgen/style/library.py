"""The paintings included in artgen, called ``builtin:NAME`` in recipes.

Imports neither torch, numpy nor PIL, so that ``artgen check`` can look names up quickly.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.references import BUILTIN_PREFIX, PORTRAITS_FOLDER

PAINTINGS_FOLDER = Path(__file__).parent / "builtin"


@dataclass(frozen=True)
class ArtworkCredit:
    """Title, artist, year, source and licence of an included artwork.

    Attributes:
        name: its name in recipes, without ``builtin:``.
        file: the image file, or a folder of several.
        title: title of the work.
        artist: who made it.
        year: when it was made, such as ``c. 1831``.
        source: where the file was downloaded.
        licence: in words.
    """

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
def _read_credits() -> dict[str, ArtworkCredit]:
    with (PAINTINGS_FOLDER / "styles.toml").open("rb") as file:
        entries = tomllib.load(file)["styles"]
    return {
        entry["name"]: ArtworkCredit(**{**entry, "file": PAINTINGS_FOLDER / entry["file"]})
        for entry in entries
    }


def painting_names() -> list[str]:
    """Return the names of the included paintings, without ``builtin:``."""
    return list(_read_credits())


def painting_credit(name: str) -> ArtworkCredit:
    """Return the credit of an included painting by its name, with or without ``builtin:``.

    Raises:
        ArtgenError: no painting has this name; the message suggests similar names.
    """
    bare_name = name.removeprefix(BUILTIN_PREFIX)
    credits_by_name = _read_credits()
    if bare_name in credits_by_name:
        return credits_by_name[bare_name]
    close_matches = difflib.get_close_matches(bare_name.lower(), credits_by_name, n=2, cutoff=0.5)
    references = [BUILTIN_PREFIX + match for match in close_matches or credits_by_name]
    expected = (
        f"did you mean {' or '.join(references)}?" if close_matches else f"one of {', '.join(references)}"
    )
    raise ArtgenError("style", f"no painting is called '{BUILTIN_PREFIX}{bare_name}'", expected)


def resolve_style_path(reference: str, folder: Path) -> Path:
    """Return the image file of a style: ``builtin:NAME``, or a path relative to ``folder``.

    Raises:
        ArtgenError: there is no such painting or no such file.
    """
    if reference.startswith(BUILTIN_PREFIX):
        return painting_credit(reference).file
    path = folder / Path(reference).expanduser()
    if not path.is_file():
        expected = "a file, relative to the recipe's folder"
        if reference.lower() in _read_credits():
            expected = f"did you mean {BUILTIN_PREFIX}{reference.lower()}?"
        raise ArtgenError("style", f"no file '{path}'", expected)
    return path


def read_portraits_credit() -> ArtworkCredit:
    """Return the credit of the portraits that ship, which their licence requires to be shown."""
    with (PORTRAITS_FOLDER / "credits.toml").open("rb") as file:
        entry = tomllib.load(file)
    fields = {key: entry[key] for key in ("title", "artist", "year", "source", "licence")}
    return ArtworkCredit(name="portraits", file=PORTRAITS_FOLDER, **fields)
