"""The page templates and what goes with them: those that ship, each replaceable by a file of one's own."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError

if TYPE_CHECKING:
    import jinja2

_PACKAGE = Path(__file__).resolve().parents[2]
ASSETS = "assets"
ZOOM = "assets/openseadragon"
"""Only needed where there are tiles."""


def templates_folder() -> Path:
    """``site_templates/``: inside the package once installed, beside it in a checkout.

    Raises:
        ArtgenError: neither is there, so the installation is damaged.
    """
    for folder in (_PACKAGE / "site_templates", _PACKAGE.parent / "site_templates"):
        if (folder / "base.html").is_file():
            return folder
    raise ArtgenError("site_templates", "not found in this installation", "install artgen again")


def assets(own: Path | None = None, zoom: bool = False) -> Iterator[tuple[str, Path]]:
    """Each file that a site needs beside its pages: where it goes, and where it comes from.

    Args:
        own: a folder whose files stand in the place of ours of the same name; more in its ``assets/``
            are added.
        zoom: whether a piece has tiles.
    """
    found: dict[str, Path] = {}
    for folder in (templates_folder(), own):
        if folder:
            for file in sorted((folder / ASSETS).rglob("*")):
                if file.is_file() and not file.name.startswith("."):
                    found[file.relative_to(folder).as_posix()] = file
    for name in sorted(found):
        if zoom or not name.startswith(f"{ZOOM}/"):
            yield name, found[name]


def files(own: Path | None = None) -> Iterator[Path]:
    """Every file that decides how pages look: ours, and those of ``own``."""
    for folder in (templates_folder(), own):
        if folder:
            yield from sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix != ".md")


def environment(own: Path | None = None) -> jinja2.Environment:
    """Templates with every value escaped, and an error for a name that does not exist.

    Args:
        own: a folder whose templates stand in the place of ours of the same name; one may still extend
            ours as ``artgen/NAME``.
    """
    import jinja2

    ours = jinja2.FileSystemLoader(templates_folder())
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [
                *([jinja2.FileSystemLoader(own)] if own else []),
                ours,
                jinja2.PrefixLoader({"artgen": ours}),
            ]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def problem(error: Exception, own: Path | None) -> ArtgenError:
    """What is wrong with a template of the artist's, with its place."""
    place = str(getattr(error, "filename", None) or getattr(error, "name", None) or own or "site_templates")
    if line := getattr(error, "lineno", None):
        place += f":{line}"
    elif own is not None:
        place = _place(error, own) or place
    said = re.sub(r"\s+", " ", str(getattr(error, "message", None) or error)) or type(error).__name__
    return ArtgenError(place, said, "mend the template, or take it away: ours then stands in its place")


def _place(error: Exception, own: Path) -> str:
    """File and line; of what is no UTF-8, which jinja2 does not name, the file that holds those bytes."""
    if isinstance(error, UnicodeDecodeError):
        same = (file for file in files(own) if own in file.parents and file.read_bytes() == error.object)
        return str(next(same, ""))
    entries = traceback.extract_tb(error.__traceback__)
    within = [entry for entry in entries if Path(entry.filename).absolute().is_relative_to(own.absolute())]
    return f"{within[-1].filename}:{within[-1].lineno}" if within else ""
