"""Notes about the files that a command is given: those passed over, unreadable, or read in part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.imaging.io.opening import HEIC_COMMAND, UnknownFormatError, count_frames, open_image
from artgen.references import (
    BUILTIN_PREFIX,
    FILM_SUFFIXES,
    HEIC_SUFFIXES,
    MAX_REFERENCED_IMAGES,
    OTHER_PICTURE_SUFFIXES,
    find_images,
    list_passed_over,
)

MAX_NAMED_FILES = 10  # in a note; the others are counted
NO_PICTURES, BROKEN_LINKS = "no pictures", "broken links"


def describe_passed_over(files: Iterable[Path]) -> Iterator[str]:
    """Yield a note with the number of files, by kind, that no picture is read from; none for no files.

    Args:
        files: those that are passed over, as ``list_passed_over`` returns them.
    """
    counts = Counter(map(_kind, files))
    if not counts:
        return
    total = counts.total()
    by_count = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{kind} ({count:,})" for kind, count in by_count)
    hint = f"; {HEIC_COMMAND} reads HEIC" if counts.keys() & set(HEIC_SUFFIXES) else ""
    yield f"{total:,} file{'s' if total > 1 else ''} left out: {listed}{hint}"


def describe_pictures(files: Sequence[Path], *, unreadable: bool = True) -> Iterator[str]:
    """Yield notes about pictures that cannot be opened, and those with several frames, by their headers.

    Args:
        files: pictures; of more than 2,000 only the first are opened.
        unreadable: whether to name those that cannot be opened.
    """
    problems: list[str] = []
    animated: list[str] = []
    for file in files[:MAX_REFERENCED_IMAGES]:
        try:
            if (count := _read_frame_count(file)) > 1:
                animated.append(f"{file.name} ({count:,})")
        except ArtgenError as error:
            hint = f" ({error.command})" if error.command else ""
            problems.append(f"{file.name}: {error.problem}{hint}")
        except Exception as error:  # counting frames follows whatever a broken file says
            problems.append(f"{file.name}: damaged or truncated ({error})")
    if problems and unreadable:
        yield f"{_count(problems)} that cannot be read: {_name_some(problems, '; ')}"
    if animated:
        named = _name_some(animated)
        yield f"{_count(animated)} of several frames or pages, of which the first is taken: {named}"


def _read_frame_count(file: Path) -> int:
    """Return the number of frames or pages of a picture, by its headers.

    Raises:
        ArtgenError: it cannot be opened.
    """
    try:
        with open_image(file) as image:
            return count_frames(image)
    except UnknownFormatError:
        from artgen.imaging.io.libvips import open_unusual_tiff

        tiff = open_unusual_tiff(file)
        if tiff is None:
            raise
        return int(tiff.get("n-pages")) if "n-pages" in tiff.get_fields() else 1


def survey_references(
    references: Iterable[str], folder: Path, *, unreadable: bool = True, output_folder: Path | None = None
) -> list[str]:
    """Return both kinds of notes about the folders and pictures that references name, artgen's own aside.

    Args:
        references: as of ``find_images``.
        folder: where relative paths start.
        unreadable: whether to name pictures that cannot be opened.
        output_folder: what is in it is not meant.

    Raises:
        ArtgenError: a folder holds no pictures.
    """
    references = [reference for reference in references if not reference.startswith(BUILTIN_PREFIX)]
    pictures, passed_over = (
        [
            file
            for file in dict.fromkeys(file for reference in references for file in find(reference, folder))
            if output_folder is None or not file.resolve().is_relative_to(output_folder.resolve())
        ]
        for find in (find_images, list_passed_over)
    )
    return [*describe_passed_over(passed_over), *describe_pictures(pictures, unreadable=unreadable)]


def _kind(file: Path) -> str:
    suffix = file.suffix.lower()
    if file.is_symlink() and not file.exists():
        return BROKEN_LINKS
    return suffix if suffix in (*FILM_SUFFIXES, *OTHER_PICTURE_SUFFIXES, *HEIC_SUFFIXES) else NO_PICTURES


def _count(names: Sequence[str]) -> str:
    return f"{len(names):,} picture{'s' if len(names) > 1 else ''}"


def _name_some(names: Sequence[str], separator: str = ", ") -> str:
    more = [f"and {len(names) - MAX_NAMED_FILES:,} more"] if len(names) > MAX_NAMED_FILES else []
    return separator.join([*names[:MAX_NAMED_FILES], *more])
