"""A recipe and its files laid out as they were, in a folder of their own.

A picture names the files that it was made from. Only those are laid out, so photographs that were
added to a folder since change nothing. What a picture says is not trusted: unless the person names
the folder, nothing outside it is touched.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from artgen.errors import ArtgenError
from artgen.hashing import file_hash
from artgen.runs.input_files import is_packaged, locate
from artgen.runs.provenance import Provenance, UsedFile


@dataclass(frozen=True)
class Mirror:
    """The layout.

    Args:
        recipe: the recipe's file in it.
        changed: names of files whose content is not what it was.
        source_file: the file that the candidate started from, where it was just one out of many.
    """

    recipe: Path
    changed: tuple[str, ...]
    source_file: Path | None


@contextmanager
def mirrored(picture: Path, provenance: Provenance, folder: Path | None) -> Iterator[Mirror]:
    """Lay out the recipe of ``picture`` and its files in a temporary folder.

    Args:
        picture: named in messages.
        provenance: what it carries.
        folder: where the recipe's files are, as the person or their own run says; None looks in the
            current folder and in ``recipes/``, and refuses names that lead out of there.

    Raises:
        ArtgenError: files are missing, lead out of the folder, or cannot be laid out.
    """
    if folder is None:
        _refuse_ways_out(picture, provenance)
    local = [used for used in provenance.files if not is_packaged(used.name)]
    place = folder or next((place for place in _guesses() if _holds(place, local)), Path())
    found = {used: locate(used.name, place) for used in provenance.files}
    missing = [used.name for used, path in found.items() if not path.is_file()]
    if missing:
        raise ArtgenError(
            str(picture),
            f"made from files that are not in {place.resolve()}: {_few(missing)}",
            "say where the recipe's folder is",
            f"artgen reproduce {picture.name} --folder DIR",
        )
    changed = tuple(used.name for used, path in found.items() if file_hash(path) != used.sha256)
    with tempfile.TemporaryDirectory(prefix="artgen-") as temporary:
        root = Path(temporary).resolve()
        depth = max((PurePosixPath(used.name).parts.count("..") for used in local), default=0)
        home = root.joinpath("recipe", *["in"] * depth)
        recipe = home / provenance.recipe_name
        laid = dict(found)
        try:
            home.mkdir(parents=True)
            # First, and never over something: through a link it would change a file of the person.
            with recipe.open("x", encoding="utf-8") as stream:
                stream.write(provenance.recipe)
            for used in local:
                laid[used] = _lay(found[used], Path(os.path.normpath(home / used.name)), root, recipe)
        except OSError as error:
            found_ = f"its files cannot be laid out in {root} ({error.strerror or error})"
            raise ArtgenError(str(picture), found_) from error
        source = next((laid[used] for used in provenance.files if used.name == provenance.source_file), None)
        yield Mirror(recipe, changed, source)


def _lay(file: Path, place: Path, root: Path, recipe: Path) -> Path:
    """Where the file can be read: in the layout, unless an absolute path leads to the file itself."""
    if not place.is_relative_to(root):
        return file.absolute()
    if place == recipe:
        raise ArtgenError(place.name, "a picture cannot be made from a file that has its recipe's name")
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.symlink_to(file.resolve())
    except OSError:  # Windows, without the right to link
        shutil.copyfile(file, place)
    return place


def _guesses() -> tuple[Path, ...]:
    return Path(), Path("recipes")


def _holds(place: Path, local: list[UsedFile]) -> bool:
    return all((place / used.name).is_file() for used in local)


def _refuse_ways_out(picture: Path, provenance: Provenance) -> None:
    try:
        table = tomllib.loads(provenance.recipe)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ArtgenError(
            str(picture), f"the recipe in it is not TOML ({error})", "give the original file"
        ) from None
    names = [used.name for used in provenance.files if not is_packaged(used.name)]
    names += _texts([table.get("source"), table.get("steps")])
    outside = [name for name in names if _leads_out(name)]
    if outside:
        right = "if you trust this picture, name the folder of its recipe"
        command = f"artgen reproduce {picture.name} --folder DIR"
        raise ArtgenError(str(picture), f"its recipe reads files elsewhere: {_few(outside)}", right, command)


def _texts(value: Any) -> list[str]:
    layer, texts = [value], []
    while layer:
        item = layer.pop()
        if isinstance(item, str):
            texts.append(item)
        elif isinstance(item, dict):
            layer.extend(item.values())
        elif isinstance(item, list):
            layer.extend(item)
    return texts


def _leads_out(name: str) -> bool:
    windows = PureWindowsPath(name)  # splits at both kinds of slash
    anchored = bool(windows.anchor) or PurePosixPath(name).is_absolute() or name.startswith("~")
    return (anchored or ".." in windows.parts) and not name.startswith("builtin:")


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
