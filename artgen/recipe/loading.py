"""Read a recipe and say everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from artgen.config.document import Document, read
from artgen.config.fields import shown
from artgen.config.key_lines import Keys
from artgen.config.messages import checked, did_you_mean
from artgen.errors import ArtgenError, Problems
from artgen.recipe.model import Gallery, Recipe
from artgen.recipe.overrides import overridden
from artgen.steps import SOURCES, STEPS
from artgen.steps.base import SOURCE_ID, Part
from artgen.steps.crops import Crops

TABLES = ("source", "steps", "gallery")


def load(path: Path | str, overrides: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe.

    Args:
        path: the TOML file.
        overrides: ``key=value`` texts, as ``--set`` takes them.

    Raises:
        Problems: everything that is wrong, each with its place.
    """
    path = Path(path)
    try:
        document, problems = overridden(read(path), overrides)
    except Problems:
        raise
    except ArtgenError as error:
        raise Problems(str(path), [error]) from None
    if "family" in document.table and "source" not in document.table:
        found = ArtgenError(str(path), "a training recipe", "it makes a model", f"artgen train {path}")
        raise Problems(str(path), [found])
    return of_document(document, problems)


def of_document(document: Document, problems: Sequence[ArtgenError] = ()) -> Recipe:
    """Check a recipe that was read, or written by a command.

    Args:
        document: its text and table, with where each key comes from.
        problems: those found before.

    Raises:
        Problems: everything that is wrong, each with its place.
    """
    found, path = list(problems), document.path
    recipe = _checked(document, found)
    if found or recipe is None:
        raise Problems(str(path), sorted(found, key=lambda problem: _line(problem, path)))
    return recipe


def _checked(document: Document, problems: list[ArtgenError]) -> Recipe | None:
    table, folder = document.table, document.path.parent
    source = _part(document, ("source",), SOURCES, folder, problems)
    listed = table.get("steps", [])
    if not isinstance(listed, list):
        problems.append(_shape(document, ("steps",), listed, "steps are written [[steps]]"))
        listed = []
    steps = [_part(document, ("steps", n), STEPS, folder, problems) for n in range(len(listed))]
    problems.extend(_equal_names(document, listed))
    gallery = None
    if isinstance(table.get("gallery", {}), dict):
        gallery, found = checked(Gallery, table.get("gallery", {}), document, ("gallery",), "gallery")
        problems.extend(found)
    else:
        problems.append(_shape(document, ("gallery",), table["gallery"], "it is written [gallery]"))
    rest = {key: value for key, value in table.items() if key not in TABLES}
    rest.setdefault("title", document.path.stem.replace("-", " ").replace("_", " ").capitalize()[:200])
    # A faulty part has been reported; a sound one in its place lets the top of the file be checked.
    parts = {"source": source or Crops(), "steps": [step for step in steps if step]}
    recipe, found = checked(Recipe, rest | parts | {"gallery": gallery or Gallery()}, document, ())
    problems.extend(found)
    if recipe is not None:
        recipe._path, recipe._text = document.path, document.text
    return recipe


def _part(
    document: Document,
    keys: Keys,
    known: Mapping[str, type[Part]],
    folder: Path,
    problems: list[ArtgenError],
) -> Any:
    """The source or a step as its model, checked down to the files it names; None if it has problems."""
    table: Any = document.table
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else table[key]
    title = _title(table, keys)
    if table is None:
        right = f'add [source] with use = "crops"; known: {", ".join(known)}'
        problems.append(ArtgenError(f"{document.path}: {title}", "missing", right, "artgen steps"))
        return None
    if not isinstance(table, dict):
        problems.append(_shape(document, keys, table, f"{title} is a table with a `use` key"))
        return None
    use = table.get("use")
    where = f"{document.place((*keys, 'use'))}: {title}.use"
    if use is None:
        problems.append(ArtgenError(where, "missing", f"known: {', '.join(known)}", "artgen steps"))
        return None
    model = known.get(use) if isinstance(use, str) else None
    if model is None:
        problems.append(ArtgenError(where, shown(use), _elsewhere(use, known), "artgen steps"))
        return None
    part, found = checked(model, table, document, keys, title)
    problems.extend(found)
    sound = part or _sound(model, table)
    for field, error in sound.wrong(folder) if sound else ():
        place = f"{document.place((*keys, field))}: {title}.{field}"
        problems.append(ArtgenError(place, error.found, error.right, error.command))
    return part


def _sound(model: type[Part], table: Mapping[str, Any]) -> Part | None:
    """What can be read of a faulty table, so that the files it names are checked in the same go.

    None where it lacks what every such table must have.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(table)
    except ValidationError as invalid:
        bad = {error["loc"][0] for error in invalid.errors(include_url=False) if error["loc"]}
    try:
        return model.model_validate({key: value for key, value in table.items() if key not in bad})
    except ValidationError:
        return None


def _elsewhere(use: Any, known: Mapping[str, type[Part]]) -> str:
    if isinstance(use, str) and known is SOURCES and use in STEPS:
        return f"{use!r} is a step, not a source; sources: {', '.join(SOURCES)}"
    if isinstance(use, str) and known is STEPS and use in SOURCES:
        return f"{use!r} is a source, not a step; steps: {', '.join(STEPS)}"
    return did_you_mean(use, known)


def _title(table: Any, keys: Keys) -> str:
    if len(keys) == 1:
        return str(keys[0])
    name = table.get("id", table.get("use")) if isinstance(table, dict) else None
    readable = isinstance(name, str) and name.isprintable() and len(name) <= 40
    return f"steps.{name if readable else keys[1]}"


def _equal_names(document: Document, steps: Sequence[Any]) -> list[ArtgenError]:
    problems = []
    seen: set[str] = set()
    for number, table in enumerate(steps):
        name = table.get("id", table.get("use")) if isinstance(table, dict) else None
        if not isinstance(name, str):
            continue
        where = f"{document.place(('steps', number))}: steps.{number}"
        if name == SOURCE_ID:
            problems.append(ArtgenError(where, f'id = "{SOURCE_ID}"', "that name belongs to the source"))
        elif name in seen:
            right = f'add id = "..." to one of them, e.g. id = "{name}-2"'
            problems.append(ArtgenError(where, f"a second step called {shown(name)}", right))
        seen.add(name)
    return problems


def _shape(document: Document, keys: Keys, value: Any, right: str) -> ArtgenError:
    return ArtgenError(document.place(keys), f"{'.'.join(map(str, keys))} = {shown(value)}", right)


def _line(problem: ArtgenError, path: Path) -> int:
    line = problem.where.removeprefix(f"{path}:").partition(":")[0]
    return int(line) if line.isascii() and line.isdigit() else 0
