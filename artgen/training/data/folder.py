"""The files of a folder tree: images, and what is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.references import find_images


def images_in(folder: Path) -> list[Path]:
    """Every image file below ``folder``, sorted.

    Raises:
        ArtgenError: no such folder, no image in it, or a name that is not UTF-8.
    """
    if not folder.is_dir():
        raise ArtgenError(
            str(folder), "not a folder" if folder.exists() else "no such folder", "a folder of images"
        )
    return find_images(str(folder), Path())


def other_files(folder: Path, images: Collection[Path]) -> Counter[str]:
    """How many files below ``folder`` are none of ``images``, by ending; hidden ones are not counted."""
    known = set(images)
    others = (p for p in folder.rglob("*") if p.is_file() and p not in known and not p.name.startswith("."))
    return Counter(p.suffix.lower() or "no ending" for p in others)
