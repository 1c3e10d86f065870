"""Page templates and assets: the shipped ones, each replaceable by a file of the artist's."""

from __future__ import annotations

import os
import re
import stat
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import ArtgenError

if TYPE_CHECKING:
    import jinja2

_PACKAGE_FOLDER = Path(__file__).resolve().parents[2]
ASSETS_FOLDER = "assets"
ZOOM_VIEWER_FOLDER = "assets/openseadragon"
"""The zoom viewer, needed only if a piece has tiles."""
OWN_TEMPLATES_FOLDER = "templates"
EXPECTED_TEMPLATE = "mend the template, or take it away: ours then stands in its place"
MAX_OWN_FILES = 5_000
MAX_OWN_FILE_BYTES = 100_000_000
MAX_TEMPLATE_BYTES = 1_000_000


TEMPLATE_OPTIONS = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}


def templates_folder() -> Path:
    """Return the folder ``site_templates/``: in the package if installed, next to it in a checkout.

    Raises:
        ArtgenError: neither is there, so the installation is damaged.
    """
    for folder in (_PACKAGE_FOLDER / "site_templates", _PACKAGE_FOLDER.parent / "site_templates"):
        if (folder / "base.html").is_file():
            return folder
    raise ArtgenError("site_templates", "not found in this installation", "install artgen again")


def find_own_templates(named_folder: Path | None, settings: Path | None) -> Path | None:
    """Choose the folder of the artist's own templates.

    They decide what a site does in its visitors' browsers, so neither a run nor a recipe has a say: both come
    from strangers, too.

    Args:
        named_folder: the folder that the artist names.
        settings: the folder of the artist's own ``gallery.toml``, whose ``templates/`` is the second choice.

    Raises:
        ArtgenError: ``named_folder`` is no folder, or ``templates`` a link that leads elsewhere.
    """
    if named_folder is not None:
        if not named_folder.is_dir():
            raise ArtgenError(
                f"--templates {named_folder}", "no such folder", "name the folder of your templates"
            )
        return named_folder
    if settings is None or not (settings / OWN_TEMPLATES_FOLDER).is_dir():
        return None
    folder = settings / OWN_TEMPLATES_FOLDER
    if not _is_inside(folder, settings):
        raise ArtgenError(str(folder), "a link that leads out of its folder", "name it with --templates")
    return folder


def list_own_files(own: Path) -> dict[str, Path]:
    """List the files of the artist's templates by their names there; hidden ones are left out.

    Raises:
        ArtgenError: one is a link that leads out of the folder, no regular file, or too large; or there are
            too many.
    """
    files_by_name: dict[str, Path] = {}
    for base, folders, names in os.walk(own):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        for name in sorted(name for name in names + links if not name.startswith(".")):
            file = Path(base, name)
            if _check_file(file, own):
                files_by_name[file.relative_to(own).as_posix()] = file
        if len(files_by_name) > MAX_OWN_FILES:
            raise ArtgenError(
                str(own), f"more than {MAX_OWN_FILES:,} files", "name a folder of templates alone"
            )
    return files_by_name


def _check_file(file: Path, own: Path) -> bool:
    """Check a file of the artist's templates, or a link; of a link to a folder the answer is no."""
    expected = "copy what you mean into the folder of your templates"
    if not _is_inside(file, own):
        raise ArtgenError(str(file), f"a link that leads out of {own}", expected)
    try:
        status = file.stat()
    except OSError as error:
        raise ArtgenError(str(file), f"cannot be read ({error.strerror})", expected) from None
    if stat.S_ISREG(status.st_mode) and status.st_size > MAX_OWN_FILE_BYTES:
        limit = MAX_OWN_FILE_BYTES // 1_000_000
        problem = f"larger than the {limit} MB that a file may have"
        raise ArtgenError(str(file), problem, "give a smaller one")
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise ArtgenError(str(file), "no regular file", "take it out of the folder of your templates")
    return stat.S_ISREG(status.st_mode)


def _is_inside(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def list_assets(own_templates: Path | None = None, zoom: bool = False) -> Iterator[tuple[str, Path]]:
    """Yield each asset of a site: its path there, and its source file.

    Args:
        own_templates: a folder whose files replace shipped ones of the same name; more in its
            ``assets/`` are added.
        zoom: whether a piece has tiles.

    Raises:
        ArtgenError: see ``list_own_files``.
    """
    files_by_name: dict[str, Path] = {}
    for folder in (templates_folder(), own_templates):
        if folder:
            files_by_name |= {
                name: file
                for name, file in list_own_files(folder).items()
                if name.startswith(f"{ASSETS_FOLDER}/")
            }
    for name in sorted(files_by_name):
        if zoom or not name.startswith(f"{ZOOM_VIEWER_FOLDER}/"):
            yield name, files_by_name[name]


def list_page_sources(own_templates: Path | None = None) -> Iterator[Path]:
    """Yield every file that determines the pages: the shipped ones, and those of ``own_templates``.

    Raises:
        ArtgenError: see ``list_own_files``.
    """
    for folder in (templates_folder(), own_templates):
        if folder:
            yield from (file for file in list_own_files(folder).values() if file.suffix != ".md")


def create_environment(own_templates: Path | None = None) -> jinja2.Environment:
    """Create the Jinja environment of the pages: it escapes every value; an unknown name is an error.

    Args:
        own_templates: a folder whose templates replace shipped ones of the same name, which they can
            still extend as ``artgen/NAME``. With it, all are rendered in a ``Sandbox``.

    Raises:
        ArtgenError: see ``list_own_files``.
    """
    import jinja2

    ours = jinja2.FileSystemLoader(templates_folder())
    if own_templates is None:
        options: Any = TEMPLATE_OPTIONS
        return jinja2.Environment(loader=ours, undefined=jinja2.StrictUndefined, **options)
    from artgen.gallery.pages.sandbox import Sandbox

    own_paths = list_own_files(own_templates)
    own_loader = jinja2.FunctionLoader(lambda name: _read_template(name, own_paths))
    return Sandbox(jinja2.ChoiceLoader([own_loader, ours, jinja2.PrefixLoader({"artgen": ours})]))


def _read_template(name: str, own_paths: Mapping[str, Path]) -> tuple[str, str, None] | None:
    """Return a template's text and path for jinja2; None for one that is not among ``own_paths``."""
    if (file := own_paths.get(name)) is None:
        return None
    if file.stat().st_size > MAX_TEMPLATE_BYTES:
        raise ArtgenError(str(file), "larger than the 1 MB that a template may have", "give a smaller one")
    try:
        return file.read_text("utf-8"), str(file), None
    except UnicodeDecodeError as error:
        raise ArtgenError(str(file), str(error), "save it as UTF-8") from None


def describe_template_error(error: Exception, own: Path) -> ArtgenError:
    """Return the error of one of the artist's templates, with its file and line."""
    location = str(getattr(error, "filename", None) or getattr(error, "name", None) or own)
    if line := getattr(error, "lineno", None):
        location += f":{line}"
    else:
        location = _find_template_line(error, own) or location
    message = re.sub(r"\s+", " ", str(getattr(error, "message", None) or error)) or type(error).__name__
    message = message.rstrip(".")
    return ArtgenError(location, message, EXPECTED_TEMPLATE)


def _find_template_line(error: Exception, own: Path) -> str:
    """Return file and line of the innermost of the artist's templates in the traceback, or nothing."""
    entries = traceback.extract_tb(error.__traceback__)
    own_entries = [
        entry for entry in entries if Path(entry.filename).absolute().is_relative_to(own.absolute())
    ]
    return f"{own_entries[-1].filename}:{own_entries[-1].lineno}" if own_entries else ""
