"""The page templates and what goes with them: those that ship, each replaceable by a file of one's own."""

from __future__ import annotations

import os
import re
import stat
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError

if TYPE_CHECKING:
    import jinja2

_PACKAGE = Path(__file__).resolve().parents[2]
ASSETS = "assets"
ZOOM = "assets/openseadragon"
"""Only needed where there are tiles."""
FOLDER = "templates"
MEND = "mend the template, or take it away: ours then stands in its place"
MAX_FILES = 5_000
MAX_FILE_BYTES = 100_000_000
MAX_TEMPLATE_BYTES = 1_000_000


def templates_folder() -> Path:
    """``site_templates/``: inside the package once installed, beside it in a checkout.

    Raises:
        ArtgenError: neither is there, so the installation is damaged.
    """
    for folder in (_PACKAGE / "site_templates", _PACKAGE.parent / "site_templates"):
        if (folder / "base.html").is_file():
            return folder
    raise ArtgenError("site_templates", "not found in this installation", "install artgen again")


def own_folder(asked: Path | None, settings: Path | None) -> Path | None:
    """Choose the folder of the artist's own templates.

    They decide what a site does in its visitors' browsers, so neither a run nor a recipe has a say: both come
    from strangers, too.

    Args:
        asked: the folder that the artist names.
        settings: the folder of the artist's own ``gallery.toml``, whose ``templates/`` is the second choice.

    Raises:
        ArtgenError: ``asked`` is no folder, or ``templates`` a link that leads elsewhere.
    """
    if asked is not None:
        if not asked.is_dir():
            raise ArtgenError(f"--templates {asked}", "no such folder", "name the folder of your templates")
        return asked
    if settings is None or not (settings / FOLDER).is_dir():
        return None
    folder = settings / FOLDER
    if not _is_inside(folder, settings):
        raise ArtgenError(str(folder), "a link that leads out of its folder", "name it with --templates")
    return folder


def own_files(own: Path) -> dict[str, Path]:
    """List the files of a folder of templates by their names there; hidden ones are left out.

    Raises:
        ArtgenError: one is a link that leads out of the folder, no regular file, or too large; or there are
            too many.
    """
    listed: dict[str, Path] = {}
    for base, folders, names in os.walk(own):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        for name in sorted(name for name in names + links if not name.startswith(".")):
            file = Path(base, name)
            if _is_regular(file, own):
                listed[file.relative_to(own).as_posix()] = file
        if len(listed) > MAX_FILES:
            raise ArtgenError(str(own), f"more than {MAX_FILES:,} files", "name a folder of templates alone")
    return listed


def _is_regular(file: Path, own: Path) -> bool:
    """Check a file, or a link; of a link to a folder the answer is no."""
    right = "copy what you mean into the folder of your templates"
    if not _is_inside(file, own):
        raise ArtgenError(str(file), f"a link that leads out of {own}", right)
    try:
        state = file.stat()
    except OSError as error:
        raise ArtgenError(str(file), f"cannot be read ({error.strerror})", right) from None
    if stat.S_ISREG(state.st_mode) and state.st_size > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // 1_000_000
        raise ArtgenError(str(file), f"larger than the {limit} MB that a file may have", "give a smaller one")
    if not stat.S_ISREG(state.st_mode) and not stat.S_ISDIR(state.st_mode):
        raise ArtgenError(str(file), "no regular file", "take it out of the folder of your templates")
    return stat.S_ISREG(state.st_mode)


def _is_inside(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def assets(own: Path | None = None, zoom: bool = False) -> Iterator[tuple[str, Path]]:
    """Each file that a site needs beside its pages: where it goes, and where it comes from.

    Args:
        own: a folder whose files stand in the place of ours of the same name; more in its ``assets/``
            are added.
        zoom: whether a piece has tiles.

    Raises:
        ArtgenError: see ``own_files``.
    """
    listed: dict[str, Path] = {}
    for folder in (templates_folder(), own):
        if folder:
            listed |= {
                name: file for name, file in own_files(folder).items() if name.startswith(f"{ASSETS}/")
            }
    for name in sorted(listed):
        if zoom or not name.startswith(f"{ZOOM}/"):
            yield name, listed[name]


def files(own: Path | None = None) -> Iterator[Path]:
    """Every file that decides how pages look: ours, and those of ``own``.

    Raises:
        ArtgenError: see ``own_files``.
    """
    for folder in (templates_folder(), own):
        if folder:
            yield from (file for file in own_files(folder).values() if file.suffix != ".md")


def environment(own: Path | None = None) -> jinja2.Environment:
    """Templates with every value escaped, and an error for a name that does not exist.

    Args:
        own: a folder whose templates stand in the place of ours of the same name; one may still extend
            ours as ``artgen/NAME``. With it, all are rendered in a ``Sandbox``.

    Raises:
        ArtgenError: see ``own_files``.
    """
    import jinja2

    ours = jinja2.FileSystemLoader(templates_folder())
    if own is None:
        return jinja2.Environment(
            loader=ours,
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
    from artgen.gallery.pages.sandbox import Sandbox

    mine = own_files(own)
    own_loader = jinja2.FunctionLoader(lambda name: _source(name, mine))
    return Sandbox(jinja2.ChoiceLoader([own_loader, ours, jinja2.PrefixLoader({"artgen": ours})]))


def _source(name: str, mine: Mapping[str, Path]) -> tuple[str, str, None] | None:
    """Return a template's text and path for jinja2; None for one that is not among ``mine``."""
    if (file := mine.get(name)) is None:
        return None
    if file.stat().st_size > MAX_TEMPLATE_BYTES:
        raise ArtgenError(str(file), "larger than the 1 MB that a template may have", "give a smaller one")
    try:
        return file.read_text("utf-8"), str(file), None
    except UnicodeDecodeError as error:
        raise ArtgenError(str(file), str(error), "save it as UTF-8") from None


def problem(error: Exception, own: Path) -> ArtgenError:
    """Return the error of one of the artist's templates, with its file and line."""
    place = str(getattr(error, "filename", None) or getattr(error, "name", None) or own)
    if line := getattr(error, "lineno", None):
        place += f":{line}"
    else:
        place = _place(error, own) or place
    said = re.sub(r"\s+", " ", str(getattr(error, "message", None) or error)) or type(error).__name__
    said = said.rstrip(".")
    return ArtgenError(place, said, MEND)


def _place(error: Exception, own: Path) -> str:
    """File and line of the last of the artist's own templates that was at work."""
    entries = traceback.extract_tb(error.__traceback__)
    within = [entry for entry in entries if Path(entry.filename).absolute().is_relative_to(own.absolute())]
    return f"{within[-1].filename}:{within[-1].lineno}" if within else ""
