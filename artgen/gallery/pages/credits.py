"""Whose paintings and portraits, of those that ship with artgen, a picture came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from artgen.models.files import catalog, header
from artgen.references import BUILTIN_FOLDERS, find_images
from artgen.runs.provenance import portable_file_name
from artgen.steps import SOURCES, STEPS
from artgen.style import library
from artgen.style.library import ArtworkCredit, read_portraits_credit


def credits(use: str, values: Mapping[str, Any], start: str | None) -> Iterator[ArtworkCredit]:
    """Yield the shipped pictures that a source or step names, or has by default.

    Args:
        use: as the recipe says.
        values: its fields, those that were drawn as they were drawn.
        start: the one file of the source that the picture started from, as its provenance calls it; None
            where it says none: then any of them may be in it.
    """
    part = SOURCES.builtin_classes.get(use) or STEPS.builtin_classes.get(use)
    if part is None:  # a plug-in's says nothing of what artgen ships
        return
    applied = {name: field.default for name, field in part.model_fields.items()} | dict(values)
    for name in _paintings(applied):
        if name in library.painting_names():
            yield library.painting_credit(name)
    by_file = {each.file: each for each in map(library.painting_credit, library.painting_names())}
    for file in _files(applied):
        if use not in SOURCES or start in (None, portable_file_name(file, Path())):
            yield by_file.get(file) or read_portraits_credit()


def _paintings(applied: Mapping[str, Any]) -> Iterator[str]:
    """Names of the paintings that a step paints after; only a net's may be without ``builtin:``."""
    style, learned = applied.get("style"), _learned(applied)
    if learned and style is None:
        yield learned[0]
    for number, asked in enumerate(_listed(style)):
        if isinstance(asked, str) and (learned or asked.startswith(library.BUILTIN_PREFIX)):
            yield PurePath(asked.removeprefix(library.BUILTIN_PREFIX)).stem
        elif isinstance(asked, int | float) and asked > 0:  # a share
            yield from learned[number : number + 1]


def _learned(applied: Mapping[str, Any]) -> list[str]:
    """Styles of the net that a step paints by, of one that ships: they have the paintings' names."""
    model, method = applied.get("model"), applied.get("method", "net")
    if method != "net" or model not in catalog.shipped_model_names():
        return []
    return header.style_names(catalog.get_shipped_model(model).metadata)


def _files(applied: Mapping[str, Any]) -> Iterator[Path]:
    """Return the files of each set of pictures that ships and that a source or step names."""
    for field in ("people", "images"):
        for reference in _listed(applied.get(field)):
            if str(reference).rstrip("/") in BUILTIN_FOLDERS:
                yield from find_images(reference, Path())


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
