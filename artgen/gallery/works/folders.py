"""Pictures and films in folders that artgen did not make, such as a camera's or a painter's."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.references import natural_sort_key

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff")
FILM_ENDING = ".mp4"
# Pictures and films that not every browser shows; the artist is told how many of them are left out.
UNSUPPORTED_ENDINGS = frozenset(
    (
        *(".heic", ".heif", ".gif", ".bmp", ".jxl", ".jp2", ".svg", ".eps", ".psd", ".xcf", ".kra", ".tga"),
        *(".exr", ".hdr", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
        *(".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".3gp", ".mts"),
    )
)


@dataclass(frozen=True)
class MediaFile:
    """A picture of a folder, or a film with its poster.

    Attributes:
        picture: the picture; of a film the picture of the same name next to it, or the film if there is none.
        film: the film; None for a picture.
    """

    picture: Path
    film: Path | None = None


def find_picture_folders(
    path: Path, excluded_folder: Path | None = None
) -> Iterator[tuple[Path, list[MediaFile]]]:
    """Yield each folder in ``path`` that has pictures or films, and these in natural order.

    Args:
        path: a folder, which is searched with its subfolders, or one file, which is yielded itself.
        excluded_folder: a resolved path; this folder is not searched.

    Raises:
        ArtgenError: ``path`` does not exist, or has no picture.
    """
    if path.is_file():
        if not _is_displayable(path.name):
            raise ArtgenError(
                str(path), "no picture that a browser could show", f"one of {_describe_endings()}"
            )
        yield path, [_with_still(path, {})]
        return
    if not path.is_dir():
        raise ArtgenError(
            str(path), "no such folder or run", "name a run, or a folder of pictures", "artgen runs"
        )
    is_empty = True
    for folder, names in _walk_visible_folders(path, excluded_folder):
        displayable = sorted(filter(_is_displayable, names), key=natural_sort_key)
        stills = {Path(name).stem: name for name in displayable if not name.lower().endswith(FILM_ENDING)}
        film_stems = {Path(name).stem for name in displayable if name.lower().endswith(FILM_ENDING)}
        media_files = [
            _with_still(Path(folder, name), stills)
            for name in displayable
            if name.lower().endswith(FILM_ENDING) or Path(name).stem not in film_stems
        ]
        if media_files:
            is_empty = False
            yield Path(folder), media_files
    if is_empty:
        raise ArtgenError(str(path), "holds no pictures", f"files that end in {_describe_endings()}")


def count_unsupported_files(path: Path, excluded_folder: Path | None = None) -> Counter[str]:
    """Count, by file ending, the pictures and films in ``path`` that a site cannot show."""
    names = (
        name
        for _, file_names in _walk_visible_folders(path, excluded_folder)
        for name in file_names
        if not name.startswith(".")
    )
    return Counter(ending for name in names if (ending := Path(name).suffix.lower()) in UNSUPPORTED_ENDINGS)


def _walk_visible_folders(path: Path, excluded_folder: Path | None) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder that is not hidden, and the names of its files."""
    for folder, subfolders, names in os.walk(path):
        subfolders[:] = sorted(
            (name for name in subfolders if not name.startswith(".")), key=natural_sort_key
        )
        if excluded_folder is not None:
            subfolders[:] = [name for name in subfolders if Path(folder, name).resolve() != excluded_folder]
        yield folder, names


def title_from_file_name(file: Path) -> str:
    """Turn a file's name into a title: ``summer_rain-2.jpg`` gives ``Summer rain 2``."""
    stem = file.stem if file.suffix else file.name
    title = stem if " " in stem.strip() else re.sub(r"[_-]+", " ", stem)
    title = title.strip().encode("utf-8", "replace").decode() or stem
    return title[:1].upper() + title[1:]


def _is_displayable(name: str) -> bool:
    """Whether a file of this name is not hidden and has an ending that browsers can show."""
    return name.lower().endswith((*PICTURE_ENDINGS, FILM_ENDING)) and not name.startswith(".")


def _with_still(file: Path, stills: dict[str, str]) -> MediaFile:
    """Make the media file of a picture or film; ``stills`` are names of pictures by their stems."""
    if file.suffix.lower() != FILM_ENDING:
        return MediaFile(file)
    still = stills.get(file.stem)
    return MediaFile(file.with_name(still) if still else file, file)


def _describe_endings() -> str:
    return f"{', '.join(PICTURE_ENDINGS)} or {FILM_ENDING}"
