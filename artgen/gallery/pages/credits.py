"""Credits of the shipped paintings and portraits that a picture was made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from artgen.models.files import catalog, header
from artgen.references import BUILTIN_FOLDERS, BUILTIN_PREFIX, find_images
from artgen.runs.provenance import portable_file_name
from artgen.steps import SOURCES, STEPS
from artgen.style import library
from artgen.style.library import ArtworkCredit, read_portraits_credit


def find_credits(use: str, values: Mapping[str, Any], start: str | None) -> Iterator[ArtworkCredit]:
    """Yield the shipped pictures that a source or step names, or has by default.

    Args:
        use: as the recipe says.
        values: its fields, those that were drawn as they were drawn.
        start: the one file of the source that the picture started from, as its provenance calls it; None
            where it says none: then any of them may be in it.
    """
    registered_class = SOURCES.builtin_classes.get(use) or STEPS.builtin_classes.get(use)
    if registered_class is None:  # a plug-in's says nothing of what artgen ships
        return
    fields = {name: field.default for name, field in registered_class.model_fields.items()} | dict(values)
    for name in _find_painting_names(fields):
        if name in library.painting_names():
            yield library.painting_credit(name)
    by_file = {credit.file: credit for credit in map(library.painting_credit, library.painting_names())}
    for file in _list_shipped_images(fields):
        if use not in SOURCES or start in (None, portable_file_name(file, Path())):
            yield by_file.get(file) or read_portraits_credit()


def _find_painting_names(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of a step's style paintings; only a net's may be without ``builtin:``."""
    styles, style_names = fields.get("style"), _list_model_styles(fields)
    if style_names and styles is None:
        yield style_names[0]
    for number, reference in enumerate(_to_list(styles)):
        if isinstance(reference, str) and (style_names or reference.startswith(BUILTIN_PREFIX)):
            yield PurePath(reference.removeprefix(BUILTIN_PREFIX)).stem
        elif isinstance(reference, int | float) and reference > 0:  # a share
            yield from style_names[number : number + 1]


def _list_model_styles(fields: Mapping[str, Any]) -> list[str]:
    """Return the style names, which are names of paintings, of a step's net if it is a shipped one."""
    model, method = fields.get("model"), fields.get("method", "net")
    if method != "net" or model not in catalog.shipped_model_names():
        return []
    return header.style_names(catalog.get_shipped_model(model).metadata)


def _list_shipped_images(fields: Mapping[str, Any]) -> Iterator[Path]:
    """Return the files of each set of pictures that ships and that a source or step names."""
    for field in ("people", "images"):
        for reference in _to_list(fields.get(field)):
            if str(reference).rstrip("/") in BUILTIN_FOLDERS:
                yield from find_images(reference, Path())


def _to_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
