"""Input files of a run, with names that mean the same on another machine."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.hashing import file_hash
from artgen.references import find_package_folder
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
    return bool(colon) and package in PACKAGE_NAMES


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
    package_folder = find_package_folder(package)
    if package_folder is None:
        raise ArtgenError(name, f"{package} is not installed", command=f"pip install {package}")
    path = Path(os.path.normpath(package_folder / relative_path))
    if not path.is_relative_to(package_folder):
        raise ArtgenError(name, "leads out of the package", "give the original file")
    return path


def portable_file_name(file: Path, folder: Path) -> str:
    """Return a file's path relative to ``folder``, or ``PACKAGE:PATH`` for a file inside a package."""
    absolute_path = Path(os.path.abspath(file))
    for package in PACKAGE_NAMES:
        package_folder = find_package_folder(package)
        if package_folder and absolute_path.is_relative_to(package_folder):
            return f"{package}:{absolute_path.relative_to(package_folder).as_posix()}"
    try:
        return Path(os.path.relpath(absolute_path, os.path.abspath(folder))).as_posix()
    except ValueError:  # another drive
        return absolute_path.as_posix()
