"""Pictures and films in folders that artgen did not make, such as a camera's or a painter's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from artgen.errors import ArtgenError
from artgen.references import IMAGE_SUFFIXES, natural_sort_key, path_sort_key, walk_folder

FILM_ENDING = ".mp4"
# What an artist keeps next to pictures for the site itself; it is not told as left out.
SITE_TEXT_ENDINGS = (".md", ".toml", ".html", ".css", ".js", ".txt")


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
            raise ArtgenError(str(path), "no picture that a site could show", f"one of {_describe_endings()}")
        yield path, [_with_still(path, {})]
        return
    if not path.is_dir():
        raise ArtgenError(
            str(path), "no such folder or run", "name a run, or a folder of pictures", "artgen runs"
        )
    is_empty = True
    for folder, names in _group_by_folder(path, excluded_folder):
        displayable = sorted((name for name in names if _is_shown(folder / name)), key=natural_sort_key)
        stills = {Path(name).stem: name for name in displayable if not name.lower().endswith(FILM_ENDING)}
        film_stems = {Path(name).stem for name in displayable if name.lower().endswith(FILM_ENDING)}
        media_files = [
            _with_still(folder / name, stills)
            for name in displayable
            if name.lower().endswith(FILM_ENDING) or Path(name).stem not in film_stems
        ]
        if media_files:
            is_empty = False
            yield folder, media_files
    if is_empty:
        raise ArtgenError(str(path), "holds no pictures", f"files that end in {_describe_endings()}")


def list_unshown_files(path: Path, excluded_folder: Path | None = None) -> list[Path]:
    """List the files in ``path`` that a site does not show, without its own texts.

    Raises:
        ArtgenError: there are too many files to search.
    """
    files = (folder / name for folder, names in _group_by_folder(path, excluded_folder) for name in names)
    return [file for file in files if not (_is_shown(file) or file.suffix.lower() in SITE_TEXT_ENDINGS)]


def _group_by_folder(path: Path, excluded_folder: Path | None) -> list[tuple[Path, list[str]]]:
    """Return each folder in natural order, and the names of its files; nothing that is hidden."""
    names_by_folder: dict[PurePath, list[str]] = {}
    for name in map(PurePath, walk_folder(path, str(path), excluded_folder=excluded_folder)):
        if not any(part.startswith(".") for part in name.parts):
            names_by_folder.setdefault(name.parent, []).append(name.name)
    folders = sorted(names_by_folder, key=path_sort_key)
    return [(path / folder, names_by_folder[folder]) for folder in folders]


def title_from_file_name(file: Path) -> str:
    """Turn a file's name into a title: ``summer_rain-2.jpg`` gives ``Summer rain 2``."""
    stem = file.stem if file.suffix else file.name
    title = stem if " " in stem.strip() else re.sub(r"[_-]+", " ", stem)
    title = title.strip().encode("utf-8", "replace").decode() or stem
    return title[:1].upper() + title[1:]


def _is_displayable(name: str) -> bool:
    """Whether a file of this name is not hidden and has the ending of a picture or film that is shown."""
    return name.lower().endswith((*IMAGE_SUFFIXES, FILM_ENDING)) and not name.startswith(".")


def _is_shown(file: Path) -> bool:
    return _is_displayable(file.name) and file.is_file()


def _with_still(file: Path, stills: dict[str, str]) -> MediaFile:
    """Make the media file of a picture or film; ``stills`` are names of pictures by their stems."""
    if file.suffix.lower() != FILM_ENDING:
        return MediaFile(file)
    still = stills.get(file.stem)
    return MediaFile(file.with_name(still) if still else file, file)


def _describe_endings() -> str:
    return f"{', '.join(IMAGE_SUFFIXES)} or {FILM_ENDING}"
