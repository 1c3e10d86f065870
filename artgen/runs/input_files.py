"""Input files of a run, with names that mean the same on another machine."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.hashing import file_hash
from artgen.plugins import SOURCE_GROUP, STEP_GROUP, installed_plugins
from artgen.runs.provenance import UsedFile

PACKAGE_NAMES = ("artgen", "skimage")


def hash_files(files: Iterable[Path], folder: Path) -> dict[Path, UsedFile]:
    """Return name and hash of each file, in order.

    Args:
        files: the files that the source and the steps read.
        folder: the recipe's folder; names are relative to it.

    Raises:
        ArtgenError: a file cannot be read.
    """
    return {file: UsedFile(name=portable_file_name(file, folder), sha256=file_hash(file)) for file in files}


def is_package_file(name: str) -> bool:
    """Return whether the name is that of a file inside an installed package."""
    package, colon, _ = name.partition(":")
    return bool(colon) and package in _list_package_names()


def locate_file(name: str, folder: Path) -> Path:
    """Return the path of the file of a portable name on this machine; it may not exist.

    Args:
        name: as ``portable_file_name`` returned it.
        folder: the recipe's folder.

    Raises:
        ArtgenError: it leads out of its package, or belongs to a package that is not installed.
    """
    if not is_package_file(name):
        return folder / name
    package, _, relative_path = name.partition(":")
    package_folder = _find_package_folder(package)
    if package_folder is None:
        raise ArtgenError(name, f"{package} is not installed", command=f"pip install {package}")
    path = Path(os.path.normpath(package_folder / relative_path))
    if not path.is_relative_to(package_folder):
        raise ArtgenError(name, "leads out of the package", "give the original file")
    return path


def portable_file_name(file: Path, folder: Path) -> str:
    """Return a file's path relative to ``folder``, or ``PACKAGE:PATH`` for a file inside a package."""
    absolute_path = Path(os.path.abspath(file))
    for package in _list_package_names():
        package_folder = _find_package_folder(package)
        if package_folder and absolute_path.is_relative_to(package_folder):
            return f"{package}:{absolute_path.relative_to(package_folder).as_posix()}"
    try:
        return Path(os.path.relpath(absolute_path, os.path.abspath(folder))).as_posix()
    except ValueError:  # another drive
        return absolute_path.as_posix()


@cache
def _list_package_names() -> tuple[str, ...]:
    """List the packages whose files have portable names: artgen, scikit-image and those of plug-ins."""
    plugins = (plugin for group in (SOURCE_GROUP, STEP_GROUP) for plugin in installed_plugins(group))
    return tuple(dict.fromkeys([*PACKAGE_NAMES, *(plugin.top_level_module for plugin in plugins)]))


@cache
def _find_package_folder(name: str) -> Path | None:
    """Find the folder of an installed package; None if it is not installed."""
    # find_spec locates a package without importing it.
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(os.path.abspath(next(iter(spec.submodule_search_locations))))
