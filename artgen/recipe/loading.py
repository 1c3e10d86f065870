"""Loading of recipes, which reports all errors in the file at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from artgen.config.document import Document, KeyPath, read_document
from artgen.config.fields import format_toml_value
from artgen.config.messages import did_you_mean, validate_table
from artgen.errors import ArtgenError, ValidationErrors
from artgen.recipe.model import Gallery, Recipe, title_from_file_name
from artgen.recipe.overrides import apply_overrides
from artgen.steps import SOURCES, STEPS
from artgen.steps.base import SOURCE_ID, RecipePart
from artgen.steps.crops import CropsSource

TABLE_KEYS = ("source", "steps", "gallery")


def load_recipe(path: Path | str, overrides: Sequence[str] = ()) -> Recipe:
    """Read and validate a recipe.

    Args:
        path: the TOML file.
        overrides: ``key=value`` texts, as ``--set`` takes them.

    Raises:
        ValidationErrors: all errors in the recipe, each with its location.
    """
    path = Path(path)
    try:
        document, errors = apply_overrides(read_document(path), overrides)
    except ArtgenError as error:
        raise ValidationErrors(str(path), [error]) from None
    if "family" in document.table and "source" not in document.table:
        mistake = ArtgenError(str(path), "a training recipe", "it makes a model", f"artgen train {path}")
        raise ValidationErrors(str(path), [mistake])
    return build_recipe(document, errors)


def build_recipe(document: Document, earlier_errors: Sequence[ArtgenError] = ()) -> Recipe:
    """Validate a document that was read from a file or composed by a command, and return its recipe.

    Args:
        document: the recipe's text and parsed table, with the location of each key.
        earlier_errors: errors found before, which are reported together with new ones.

    Raises:
        ValidationErrors: all errors in the recipe, each with its location.
    """
    errors, table = list(earlier_errors), document.table
    source = _validate_part(document, ("source",), table.get("source"), SOURCES, errors)
    step_tables = table.get("steps", [])
    if not isinstance(step_tables, list):
        errors.append(_wrong_type_error(document, ("steps",), step_tables, "steps are written [[steps]]"))
        step_tables = []
    steps = [
        _validate_part(document, ("steps", index), step_table, STEPS, errors)
        for index, step_table in enumerate(step_tables)
    ]
    errors.extend(_duplicate_id_errors(document, step_tables))
    gallery, gallery_table = None, table.get("gallery", {})
    if isinstance(gallery_table, dict):
        gallery, table_errors = validate_table(Gallery, gallery_table, document, ("gallery",), "gallery")
        errors.extend(table_errors)
    else:
        errors.append(_wrong_type_error(document, ("gallery",), gallery_table, "it is written [gallery]"))
    top_level_fields = {key: value for key, value in table.items() if key not in TABLE_KEYS}
    top_level_fields.setdefault("title", title_from_file_name(document.path.stem)[:200])
    # An invalid part has been reported; a valid one instead of it allows to check the top level.
    parts = {"source": source or CropsSource(), "steps": list(filter(None, steps))}
    fields = {**top_level_fields, **parts, "gallery": gallery or Gallery()}
    recipe, table_errors = validate_table(Recipe, fields, document, ())
    errors.extend(table_errors)
    if errors or recipe is None:
        errors.sort(key=lambda error: _line_number(error, document.path))
        raise ValidationErrors(str(document.path), errors)
    recipe._path, recipe._text = document.path, document.text
    return recipe


def _validate_part(
    document: Document,
    keys: KeyPath,
    table: Any,
    models: Mapping[str, type[RecipePart]],
    errors: list[ArtgenError],
) -> Any:
    """Validate the source or a step, including the files it names; None if the table is invalid."""
    title = _table_title(table, keys)
    if table is None:
        expected = f'add [source] with use = "crops"; known: {", ".join(models)}'
        errors.append(ArtgenError(f"{document.path}: {title}", "missing", expected, "artgen steps"))
        return None
    if not isinstance(table, dict):
        errors.append(_wrong_type_error(document, keys, table, f"{title} is a table with a `use` key"))
        return None
    use = table.get("use")
    model = models.get(use) if isinstance(use, str) else None
    if model is None:
        where = f"{document.locate((*keys, 'use'))}: {title}.use"
        found = "missing" if use is None else format_toml_value(use)
        errors.append(ArtgenError(where, found, _explain_unknown_use(use, models), "artgen steps"))
        return None
    part, field_errors = validate_table(model, table, document, keys, title)
    errors.extend(field_errors)
    readable_part = part or _parse_valid_fields(model, table)
    for field, error in readable_part.validate_files(document.path.parent) if readable_part else ():
        where = f"{document.locate((*keys, field))}: {title}.{field}"
        errors.append(ArtgenError(where, error.problem, error.expected, error.command))
    return part


def _parse_valid_fields(model: type[RecipePart], table: Mapping[str, Any]) -> RecipePart | None:
    """Parse the valid fields of an invalid table, so that the files it names are checked as well.

    Returns:
        The part, or None if a field that must be given is missing or invalid.
    """
    for _ in range(2):
        try:
            return model.model_validate(table)
        except ValidationError as invalid:
            invalid_fields = {error["loc"][0] for error in invalid.errors(include_url=False) if error["loc"]}
            table = {key: value for key, value in table.items() if key not in invalid_fields}
    return None


def _explain_unknown_use(use: Any, models: Mapping[str, type[RecipePart]]) -> str:
    """Return what to write instead of a missing or unknown value of ``use``."""
    if use is None:
        return f"known: {', '.join(models)}"
    if isinstance(use, str) and models is SOURCES and use in STEPS:
        return f"{use!r} is a step, not a source; sources: {', '.join(SOURCES)}"
    if isinstance(use, str) and models is STEPS and use in SOURCES:
        return f"{use!r} is a source, not a step; steps: {', '.join(STEPS)}"
    return did_you_mean(use, models)


def _table_title(table: Any, keys: KeyPath) -> str:
    """Return how messages name a table: ``source``, or ``steps.ID`` (``steps.0`` without a usable id)."""
    if len(keys) == 1:
        return str(keys[0])
    name = _written_name(table)
    is_printable = isinstance(name, str) and name.isprintable() and len(name) <= 40
    return f"steps.{name if is_printable else keys[1]}"


def _written_name(table: Any) -> Any:
    """Return the id of a step as its table says it, which may be invalid; None if it says none."""
    return table.get("id", table.get("use")) if isinstance(table, dict) else None


def _duplicate_id_errors(document: Document, steps: Sequence[Any]) -> list[ArtgenError]:
    errors = []
    earlier_names: set[str] = set()
    for number, table in enumerate(steps):
        if not isinstance(name := _written_name(table), str):
            continue
        where = f"{document.locate(('steps', number))}: steps.{number}"
        if name == SOURCE_ID:
            errors.append(ArtgenError(where, f'id = "{SOURCE_ID}"', "that name belongs to the source"))
        elif name in earlier_names:
            expected = f'add id = "..." to one of them, e.g. id = "{name}-2"'
            errors.append(ArtgenError(where, f"a second step called {format_toml_value(name)}", expected))
        earlier_names.add(name)
    return errors


def _wrong_type_error(document: Document, keys: KeyPath, value: Any, expected: str) -> ArtgenError:
    problem = f"{'.'.join(map(str, keys))} = {format_toml_value(value)}"
    return ArtgenError(document.locate(keys), problem, expected)


def _line_number(error: ArtgenError, path: Path) -> int:
    """Return the line that an error is about, or 0 if it names none."""
    line = error.where.removeprefix(f"{path}:").partition(":")[0]
    return int(line) if line.isascii() and line.isdigit() else 0
