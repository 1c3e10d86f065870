"""Works out of a folder of pictures and films, as any camera or painter leaves one."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from artgen.errors import ArtgenError

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff")
FILM = ".mp4"
# Pictures and films, but none that every browser shows: who has them wants to hear that they are not there.
NOT_SHOWN = frozenset(
    (
        *(".heic", ".heif", ".gif", ".bmp", ".jxl", ".jp2", ".svg", ".eps", ".psd", ".xcf", ".kra", ".tga"),
        *(".exr", ".hdr", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
        *(".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".3gp", ".mts"),
    )
)


@dataclass(frozen=True)
class Found:
    """A picture, or a film, with the picture that stands for it if one of its name lies beside it."""

    file: Path
    film: Path | None = None


def folders(place: Path, but: Path | None = None) -> Iterator[tuple[Path, list[Found]]]:
    """Each folder at and below ``place`` that holds pictures, with them in the order a person counts.

    Args:
        place: a folder, or one file, which stands for itself.
        but: a folder, resolved, that is left out.

    Raises:
        ArtgenError: it does not exist, cannot be read, or holds no picture.
    """
    if place.is_file():
        if not _shown(place.name):
            raise ArtgenError(str(place), "no picture that a browser could show", f"one of {_endings()}")
        yield place, [_found(place, {})]
        return
    if not place.is_dir():
        raise ArtgenError(
            str(place), "no such folder or run", "name a run, or a folder of pictures", "artgen runs"
        )
    empty = True
    for base, files in _walk(place, but):
        shown = sorted(filter(_shown, files), key=counted)
        stills = {Path(name).stem: name for name in shown if not name.lower().endswith(FILM)}
        films = {Path(name).stem for name in shown if name.lower().endswith(FILM)}
        found = [
            _found(Path(base, name), stills)
            for name in shown
            if name.lower().endswith(FILM) or Path(name).stem not in films
        ]
        if found:
            empty = False
            yield Path(base), found
    if empty:
        raise ArtgenError(str(place), "holds no pictures", f"files that end in {_endings()}")


def left_out(place: Path, but: Path | None = None) -> Counter[str]:
    """How many pictures and films at and below ``place`` are of kinds that are not shown, by ending."""
    names = (name for _, files in _walk(place, but) for name in files if not name.startswith("."))
    return Counter(ending for name in names if (ending := Path(name).suffix.lower()) in NOT_SHOWN)


def _walk(place: Path, but: Path | None) -> Iterator[tuple[str, list[str]]]:
    for base, inner, files in os.walk(place):
        inner[:] = sorted((name for name in inner if not name.startswith(".")), key=counted)
        if but is not None:
            inner[:] = [name for name in inner if Path(base, name).resolve() != but]
        yield base, files


def counted(name: str) -> tuple[list[tuple[bool, int, str]], str]:
    """A sort key by which ``2.png`` comes before ``10.png`` and both before words; capitals do not matter."""
    parts = re.findall(r"\d{1,20}|\D+|\d+", name.casefold())
    keys = [(False, int(part), "") if part[0].isdecimal() else (True, 0, part) for part in parts]
    return keys, name


def title_of(file: Path) -> str:
    """A file's name in words: ``summer_rain-2.jpg`` is ``Summer rain 2``."""
    stem = file.stem if file.suffix else file.name
    words = stem if " " in stem.strip() else re.sub(r"[_-]+", " ", stem)
    words = words.strip().encode("utf-8", "replace").decode() or stem
    return words[:1].upper() + words[1:]


def _shown(name: str) -> bool:
    return name.lower().endswith((*PICTURES, FILM)) and not name.startswith(".")


def _found(file: Path, stills: dict[str, str]) -> Found:
    if file.suffix.lower() != FILM:
        return Found(file)
    still = stills.get(file.stem)
    return Found(file.with_name(still) if still else file, file)


def _endings() -> str:
    return f"{', '.join(PICTURES)} or {FILM}"
