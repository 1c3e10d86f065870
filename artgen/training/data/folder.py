"""The files in a folder and its subfolders: images and others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.references import find_images


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


def count_other_files(folder: Path, images: Collection[Path]) -> Counter[str]:
    """Count, by extension, the files in a training folder that are not in ``images``.

    Hidden files are not counted.
    """
    image_files = set(images)
    others = (
        file
        for file in folder.rglob("*")
        if file.is_file() and file not in image_files and not file.name.startswith(".")
    )
    return Counter(file.suffix.lower() or "no ending" for file in others)
