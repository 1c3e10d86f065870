"""The files in a folder and its subfolders: images and others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.references import find_images, list_passed_over


def list_images(folder: Path) -> list[Path]:
    """Return every training image in ``folder`` and its subfolders, sorted.

    Raises:
        ArtgenError: no such folder, no image in it, or a name that is not UTF-8.
    """
    if not folder.is_dir():
        raise ArtgenError(
            str(folder), "not a folder" if folder.exists() else "no such folder", "a folder of images"
        )
    return find_images(str(folder), Path())


def count_other_files(folder: Path) -> Counter[str]:
    """Count the files of a training folder that are not read as images, by extension.

    Hidden files are not counted.
    """
    return Counter(file.suffix.lower() or "no ending" for file in list_passed_over(str(folder), Path()))
