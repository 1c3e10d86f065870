"""How a recipe names pictures: ``builtin:NAME``, a file, a folder, or a pattern with ``*``."""

from __future__ import annotations

import glob
import importlib.util
import os
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from artgen.errors import ArtgenError

BUILTIN = "builtin:"
TEXTURES = f"{BUILTIN}textures"
# Of scikit-image's photographs: what has colour or texture, no lettering, no faces; and what has a subject.
PHOTOGRAPHS = {
    TEXTURES: (
        "chelsea.png",
        "coffee.png",
        "grass.png",
        "gravel.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "motorcycle_left.png",
        "retina.jpg",
        "rocket.jpg",
    ),
    f"{BUILTIN}photographs": (
        "chelsea.png",
        "coffee.png",
        "hubble_deep_field.jpg",
        "motorcycle_left.png",
        "retina.jpg",
        "rocket.jpg",
    ),
}
# The paintings behind the styles; aligned faces of nobody: all, or the dark-haired, or the fair and the red.
PORTRAITS = Path(__file__).parent / "steps" / "portraits"
SHIPPED = {
    f"{BUILTIN}paintings": Path(__file__).parent / "style" / "builtin",
    f"{BUILTIN}portraits": PORTRAITS,
    f"{BUILTIN}portraits/raven": PORTRAITS / "raven",
    f"{BUILTIN}portraits/amber": PORTRAITS / "amber",
}
# Every picture lists all images that chance chose from, with their hashes.
MOST = 2000
# What artgen makes in a folder: a picture made of those beside it is not one of them the next time.
MADE = frozenset({"runs", "training-runs"})
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"})


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


References = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=500)]],
    Field(min_length=1),
    BeforeValidator(_listed, json_schema_input_type=str | list[str]),
]


def find_images(reference: str, folder: Path) -> list[Path]:
    """The image files that ``reference`` names, sorted; relative paths start at ``folder``.

    Of a folder, everything below counts but hidden files and folders (``._sea.jpg``, which a Mac leaves on
    other disks, is no picture) and folders named ``runs`` and ``training-runs``: what was made there is used
    where its own path is given.

    Raises:
        ArtgenError: nothing is there, nothing in it is an image, or an image's name is not UTF-8.
    """
    if reference.startswith(BUILTIN):
        return _builtin(reference)
    found = _on_disk(reference, folder)
    for path in found:
        try:
            str(path).encode()
        except UnicodeEncodeError:  # neither a run's database nor a picture's provenance can hold it
            shown = os.fsencode(path).decode(errors="backslashreplace")
            raise ArtgenError(reference, f"the name of {shown} is not UTF-8", "rename it") from None
    return found


def too_many(field: str, files: Sequence[Path], use: str) -> Iterator[tuple[str, ArtgenError]]:
    """The problem of a field that names more images than a picture can list; ``use`` says what for."""
    if len(files) > MOST:
        right = f"{use} at most {MOST:,}: name fewer, by a folder in it or a pattern"
        yield field, ArtgenError(field, f"{len(files):,} images", right)


def _on_disk(reference: str, folder: Path) -> list[Path]:
    path = folder / Path(reference).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if _given(p.relative_to(path)) and p.is_file())
        if not inside:
            raise ArtgenError(reference, "a folder without images", f"images end in {_suffixes()}")
        return inside
    if glob.has_magic(reference):
        hits = (Path(hit) for hit in glob.glob(str(path), recursive=True))
        matching = sorted(p for p in hits if p.suffix.lower() in SUFFIXES and p.is_file())
        if matching:
            return matching
        raise ArtgenError(reference, "no image matches this pattern", f"images end in {_suffixes()}")
    raise ArtgenError(
        reference, f"no such file or folder ({path})", f"relative paths start at {folder.resolve()}"
    )


def _given(path: Path) -> bool:
    """Whether a file in a folder is an image that somebody laid there."""
    hidden = any(part.startswith(".") for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden and MADE.isdisjoint(path.parts[:-1])


def _suffixes() -> str:
    return ", ".join(sorted(SUFFIXES))


def _builtin(reference: str) -> list[Path]:
    name = reference.rstrip("/")
    if name in SHIPPED:
        return sorted(SHIPPED[name].rglob("*.jpg"))
    if name in PHOTOGRAPHS:
        return _photographs(name)
    known = [*PHOTOGRAPHS, *SHIPPED]
    close = get_close_matches(name, known, n=1, cutoff=0.75)
    listed = ", ".join(map(repr, known))
    right = f"did you mean {close[0]!r}?" if close else f"the built-in images are {listed}"
    raise ArtgenError(reference, "no built-in images of this name", right)


def _photographs(reference: str) -> list[Path]:
    # find_spec locates the package without importing it.
    spec = importlib.util.find_spec("skimage")
    places = [Path(place) / "data" for place in (spec.submodule_search_locations or ())] if spec else []
    found = [place / name for place in places for name in PHOTOGRAPHS[reference] if (place / name).is_file()]
    if not found:
        raise ArtgenError(
            reference, "scikit-image's photographs are not installed", command="pip install scikit-image"
        )
    return found
