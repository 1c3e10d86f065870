"""Image references of recipes: ``builtin:NAME``, a file, a folder, or a pattern with ``*``."""

from __future__ import annotations

import fnmatch
import glob
import importlib.util
import os
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path, PurePath
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from artgen.errors import ArtgenError


@cache
def find_package_folder(name: str) -> Path | None:
    """Find the folder of an installed package; None if it is not installed."""
    spec = importlib.util.find_spec(name)  # locates a package without importing it
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(os.path.abspath(next(iter(spec.submodule_search_locations))))


BUILTIN_PREFIX = "builtin:"
BUILTIN_TEXTURES = f"{BUILTIN_PREFIX}textures"
# Photographs of scikit-image, without lettering or faces: those with colour or texture; those with a subject.
PHOTOGRAPHS_WITH_SUBJECT = (
    "chelsea.png",
    "coffee.png",
    "hubble_deep_field.jpg",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)
BUILTIN_PHOTOGRAPHS = {
    BUILTIN_TEXTURES: tuple(sorted((*PHOTOGRAPHS_WITH_SUBJECT, "grass.png", "gravel.png", "ihc.png"))),
    f"{BUILTIN_PREFIX}photographs": PHOTOGRAPHS_WITH_SUBJECT,
}
# Paintings of the built-in styles; aligned faces of invented people: all, dark-haired, fair and red-haired.
PORTRAITS_FOLDER = Path(__file__).parent / "steps" / "portraits"
BUILTIN_FOLDERS = {
    f"{BUILTIN_PREFIX}paintings": Path(__file__).parent / "style" / "builtin",
    f"{BUILTIN_PREFIX}portraits": PORTRAITS_FOLDER,
    f"{BUILTIN_PREFIX}portraits/raven": PORTRAITS_FOLDER / "raven",
    f"{BUILTIN_PREFIX}portraits/amber": PORTRAITS_FOLDER / "amber",
}
# The provenance of every candidate lists all images that could be drawn, with their hashes.
MAX_REFERENCED_IMAGES = 2000
# Folders that artgen writes: a picture made from a folder's images must not become one of them.
OUTPUT_FOLDERS = frozenset({"runs", "training-runs"})
# A reference such as `/**` would search the whole disk.
MAX_SEARCHED_ENTRIES = 200_000
HEIC_SUFFIXES = (".heic", ".heif")
# The one list of every command; in a file that is named itself, its content decides. HEIC needs an extra.
IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".avif", ".tif", ".tiff"),
    *(".jp2", ".bmp", ".gif", ".ppm", ".pgm", ".pbm", ".pnm"),
    *(HEIC_SUFFIXES if find_package_folder("pillow_heif") else ()),
)
FILM_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg"),
    *(".ts", ".mts", ".wmv", ".flv", ".3gp", ".ogv"),
)
# Pictures that no command reads: of other programs, of cameras without development, and drawings.
OTHER_PICTURE_SUFFIXES = (
    *(".jxl", ".svg", ".eps", ".psd", ".xcf", ".kra", ".tga", ".exr", ".hdr"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
)
IMAGE_SUFFIXES_HINT = f"images end in {', '.join(sorted(IMAGE_SUFFIXES))}"


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


ImageReferences = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=500)]],
    Field(min_length=1),
    BeforeValidator(_as_list, json_schema_input_type=str | list[str]),
]


def find_images(reference: str, folder: Path) -> list[Path]:
    """List the image files that ``reference`` names, sorted.

    A folder is searched with all its subfolders, except hidden files and folders (``._sea.jpg``, which a Mac
    leaves on other disks, is no picture) and folders named ``runs`` and ``training-runs``: pictures in those
    are used only if the reference names a path inside.

    Args:
        reference: ``builtin:NAME``, a file, a folder or a pattern.
        folder: where relative paths start.

    Raises:
        ArtgenError: nothing has this name, it holds no image, or an image's name is not UTF-8.
    """
    if reference.startswith(BUILTIN_PREFIX):
        return _find_builtin(reference)
    paths = _find_on_disk(reference, folder)
    for path in paths:
        try:
            str(path).encode()
        except UnicodeEncodeError:  # neither a run's database nor a picture's provenance can hold it
            escaped_name = os.fsencode(path).decode(errors="backslashreplace")
            raise ArtgenError(reference, f"the name of {escaped_name} is not UTF-8", "rename it") from None
    return paths


def image_count_errors(field: str, files: Sequence[Path], purpose: str) -> Iterator[tuple[str, ArtgenError]]:
    """Yield an error, with its field, if a field names more images than provenance can list.

    Args:
        field: the recipe's key.
        files: the images that the field names.
        purpose: begins the advice, such as ``crops are taken from``.
    """
    if len(files) > MAX_REFERENCED_IMAGES:
        expected = f"{purpose} at most {MAX_REFERENCED_IMAGES:,}: name fewer, by a folder in it or a pattern"
        yield field, ArtgenError(field, f"{len(files):,} images", expected)


def natural_sort_key(name: str) -> tuple[list[tuple[bool, int, str]], str]:
    """Return a sort key that ignores case and puts ``2.png`` before ``10.png``, and both before words."""
    parts = re.findall(r"\d{1,20}|\D+|\d+", name.casefold())
    keys = [(False, int(part), "") if part[0].isdecimal() else (True, 0, part) for part in parts]
    return keys, name


def path_sort_key(path: PurePath) -> list[tuple[list[tuple[bool, int, str]], str]]:
    """Return a key that sorts image paths naturally, name by name."""
    return [natural_sort_key(part) for part in path.parts]


def _find_on_disk(reference: str, folder: Path) -> list[Path]:
    path = folder / Path(reference).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        names = (name for name in walk_folder(path, reference) if _is_source_image(PurePath(name)))
        found: Iterator[Path] = (path / name for name in names)
        problem = "a folder without images"
    elif glob.has_magic(reference):
        found = _match_pattern(path, reference)
        problem = "no image matches this pattern"
    else:
        expected = f"relative paths start at {folder.resolve()}"
        raise ArtgenError(reference, f"no such file or folder ({path})", expected)
    images = sorted((file for file in found if file.is_file()), key=path_sort_key)
    if not images:
        raise ArtgenError(reference, problem, IMAGE_SUFFIXES_HINT)
    return images


def _match_pattern(pattern: Path, reference: str) -> Iterator[Path]:
    """Yield the image files that match a reference's pattern; ``**`` stands for folders of any depth."""
    parts = pattern.parts
    start = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    expression = re.compile(_pattern_to_regex("/".join(parts[start:])))
    is_deep = "**" in parts
    root = Path(*parts[:start])
    depth = None if is_deep else len(parts) - start
    names = walk_folder(root, reference, depth)
    return (root / name for name in names if expression.fullmatch(name) and _has_image_suffix(name))


def _pattern_to_regex(pattern: str) -> str:
    """Return the regular expression of a reference's pattern; ``*`` matches no hidden name."""
    translated = []
    for part in pattern.split("/"):
        if part == "**":
            translated.append(r"(?:(?!\.)[^/]+/)*")
            continue
        hidden_names = "" if part.startswith(".") else r"(?!\.)"
        expression = fnmatch.translate(part).removeprefix("(?s:").removesuffix(r")\Z").replace(".*", "[^/]*")
        translated.append(f"{hidden_names}{expression}/")
    joined = "".join(translated)
    return joined.removesuffix("/") if not pattern.endswith("**") else f"{joined}(?!\\.)[^/]+"


def walk_folder(
    root: Path, where: str, depth: int | None = None, excluded_folder: Path | None = None
) -> Iterator[str]:
    """Yield the path in ``root`` of every file, through links to folders, each folder once.

    Args:
        root: the folder.
        where: what names the folder, for the error.
        depth: levels of folders that are searched; None searches all.
        excluded_folder: a resolved path; this folder is not searched.

    Raises:
        ArtgenError: there are more files and folders than a search may visit.
    """
    visited: set[tuple[int, int]] = set()
    entry_count = 0
    for folder, subfolders, names in os.walk(root, followlinks=True):
        try:
            status = os.stat(folder)
        except OSError:  # removed meanwhile
            subfolders.clear()
            continue
        identity = (status.st_dev, status.st_ino)
        relative_folder = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if relative_folder == "." else f"{relative_folder}/"
        if (identity in visited and status.st_ino) or (
            excluded_folder and Path(folder).resolve() == excluded_folder
        ):
            subfolders.clear()
            continue
        visited.add(identity)
        if depth is not None and prefix.count("/") + 1 >= depth:
            subfolders.clear()
        subfolders.sort(key=lambda name: (os.path.islink(os.path.join(folder, name)), name))
        entry_count += len(subfolders) + len(names)
        if entry_count > MAX_SEARCHED_ENTRIES:
            problem = f"more than {MAX_SEARCHED_ENTRIES:,} files to search"
            raise ArtgenError(where, problem, "name a smaller folder")
        yield from (prefix + name for name in names)


def list_passed_over(reference: str, folder: Path) -> list[Path]:
    """List the files in a folder that ``find_images`` does not take, hidden ones and folders of runs aside.

    Args:
        reference: as of ``find_images``; anything but a folder gives an empty list.
        folder: where relative paths start.

    Raises:
        ArtgenError: the folder has more files than are searched.
    """
    path = folder / Path(reference).expanduser()
    if reference.startswith(BUILTIN_PREFIX) or not path.is_dir():
        return []
    names = (name for name in walk_folder(path, reference) if _is_source(PurePath(name)))
    return [path / name for name in names if not (_has_image_suffix(name) and (path / name).is_file())]


def _has_image_suffix(name: str) -> bool:
    return name.lower().endswith(IMAGE_SUFFIXES)


def _is_source_image(path: PurePath) -> bool:
    """Return whether a file, by its path inside a folder, is an image that artgen did not make."""
    return _is_source(path) and _has_image_suffix(path.name)


def _is_source(path: PurePath) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and OUTPUT_FOLDERS.isdisjoint(path.parts[:-1])


def _find_builtin(reference: str) -> list[Path]:
    name = reference.rstrip("/")
    if name in BUILTIN_FOLDERS:
        return sorted(BUILTIN_FOLDERS[name].rglob("*.jpg"))
    if name in BUILTIN_PHOTOGRAPHS:
        return _find_photographs(name)
    names = [*BUILTIN_PHOTOGRAPHS, *BUILTIN_FOLDERS]
    similar = get_close_matches(name, names, n=1, cutoff=0.75)
    all_names = ", ".join(map(repr, names))
    expected = f"did you mean {similar[0]!r}?" if similar else f"the built-in images are {all_names}"
    raise ArtgenError(reference, "no built-in images of this name", expected)


def _find_photographs(reference: str) -> list[Path]:
    folder = find_package_folder("skimage")
    paths = [folder / "data" / name for name in BUILTIN_PHOTOGRAPHS[reference]] if folder else []
    photographs = [path for path in paths if path.is_file()]
    if not photographs:
        problem = "scikit-image's photographs are not installed"
        raise ArtgenError(reference, problem, command="pip install scikit-image")
    return photographs
