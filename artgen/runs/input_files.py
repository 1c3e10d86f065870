"""The files whose content decides a run's pixels, by a name that means the same on another machine."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.hashing import file_hash
from artgen.runs.provenance import UsedFile

PACKAGES = ("artgen", "skimage")


def fingerprint(files: Iterable[Path], folder: Path) -> dict[Path, UsedFile]:
    """Name and hash of each file, in order.

    Args:
        files: what the source and the steps say they read.
        folder: the recipe's; names are relative to it.

    Raises:
        ArtgenError: a file cannot be read.
    """
    return {file: UsedFile(name=name_of(file, folder), sha256=file_hash(file)) for file in files}


def is_packaged(name: str) -> bool:
    """Whether the name is that of a file that a package ships."""
    package, colon, _ = name.partition(":")
    return bool(colon) and package in PACKAGES


def locate(name: str, folder: Path) -> Path:
    """Where the file of that name should be on this machine.

    Raises:
        ArtgenError: it belongs to a package that is not installed.
    """
    if not is_packaged(name):
        return folder / name
    package, _, inside = name.partition(":")
    root = _package(package)
    if root is None:
        raise ArtgenError(name, f"{package} is not installed", command=f"pip install {package}")
    path = Path(os.path.normpath(root / inside))
    if not path.is_relative_to(root):
        raise ArtgenError(name, "leads out of the package", "give the original file")
    return path


def name_of(file: Path, folder: Path) -> str:
    """A file's name seen from ``folder``, or ``PACKAGE:PATH`` for what a package ships."""
    absolute = Path(os.path.abspath(file))
    for package in PACKAGES:
        root = _package(package)
        if root and absolute.is_relative_to(root):
            return f"{package}:{absolute.relative_to(root).as_posix()}"
    try:
        return Path(os.path.relpath(absolute, os.path.abspath(folder))).as_posix()
    except ValueError:  # another drive
        return absolute.as_posix()


@cache
def _package(name: str) -> Path | None:
    # find_spec locates a package without importing it.
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(os.path.abspath(next(iter(spec.submodule_search_locations))))
