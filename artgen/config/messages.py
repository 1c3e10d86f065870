"""Conversion of Pydantic's validation errors to messages: the location, the problem, what is expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from artgen.config.document import Document, KeyPath
from artgen.config.draws import DRAW_KINDS, FIXED_VALUE_TAG
from artgen.config.fields import FieldDescription, describe_fields, format_toml_value
from artgen.errors import ArtgenError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ModelT = TypeVar("ModelT", bound=BaseModel)


def did_you_mean(word: object, known_words: Iterable[str], otherwise: str = "") -> str:
    """Return a hint for a misspelt key or name, ``did you mean 'noise'?``, or a text or the known words.

    Args:
        word: what was written.
        known_words: what could have been meant.
        otherwise: what to return instead of the known words if none is similar.
    """
    words = list(known_words)
    matches = get_close_matches(str(word).lower(), words, 1, cutoff=0.6)
    return f"did you mean {matches[0]!r}?" if matches else otherwise or f"known: {', '.join(words)}"


def validate_table(
    model: type[ModelT], table: Mapping[str, Any], document: Document, keys: KeyPath, title: str = ""
) -> tuple[ModelT | None, list[ArtgenError]]:
    """Validate a table of a TOML document by a Pydantic model.

    Args:
        model: the Pydantic model that the table must match.
        table: the parsed table.
        document: the document, for the line numbers.
        keys: where the table is in the document.
        title: how messages name the table, e.g. ``steps.grow``.

    Returns:
        The table as its model, or None; and every error in it.
    """
    try:
        return model.model_validate(table), []
    except ValidationError as invalid:
        details = invalid.errors(include_url=False)
    errors = (_to_artgen_error(detail, model, document, keys, title) for detail in details)
    return None, _merge_alternatives(errors)


def _merge_alternatives(errors: Iterable[ArtgenError]) -> list[ArtgenError]:
    """Report a TOML value that fits none of several types once, not once per type."""
    distinct: list[ArtgenError] = []
    for error in errors:
        is_same_value = distinct and f"{error.where}.".startswith(f"{distinct[-1].where}.")
        if not is_same_value or error.expected != distinct[-1].expected:
            distinct.append(error)
    return distinct


def _to_artgen_error(
    error: ErrorDetails, model: type[BaseModel], document: Document, keys: KeyPath, title: str
) -> ArtgenError:
    # Pydantic adds the branch of the union (FIXED_VALUE_TAG or a kind of draw) after a drawn field's name.
    location = tuple(error["loc"])
    if len(location) > 1 and location[1] in (FIXED_VALUE_TAG, *DRAW_KINDS):
        location = (location[0], *location[2:])
    has_use_key = "use" in model.model_fields
    model, location, depth = _resolve_innermost_table(model, location)
    # Other words below the field name a branch of a union, which nobody wrote in the file.
    below = (part for part in location[depth + 1 :] if isinstance(part, int) or part in DRAW_KINDS)
    location = (*location[: depth + 1], *below)
    name = str(location[depth]) if len(location) > depth else ""
    has_bad_tag = error["type"] in ("union_tag_not_found", "union_tag_invalid")
    choices = _list_table_models(model, name) if has_bad_tag else []
    location = (*location, "use") if choices else location
    path = ".".join(filter(None, [title, *(str(part) for part in location)]))
    where = f"{document.locate((*keys, *location))}: {path}" if path else document.locate(keys)
    fields = describe_fields(model)
    command = f"artgen steps {model.model_fields['use'].default}" if has_use_key else ""
    if choices:
        use_names = [choice.model_fields["use"].default for choice in choices]
        if error["type"] == "union_tag_not_found":
            return ArtgenError(where, "missing", f"known: {', '.join(use_names)}", command)
        use = error["input"]["use"]
        return ArtgenError(where, format_toml_value(use), did_you_mean(use, use_names), command)
    if error["type"] == "extra_forbidden" and len(location) == depth + 1:
        return ArtgenError(where, "unknown key", did_you_mean(name, fields), command)
    if error["type"] == "missing":
        return ArtgenError(where, "missing", _expected_text(fields.get(name)), command)
    return ArtgenError(where, *_describe_bad_value(error, fields.get(name)))


def _resolve_innermost_table(
    model: type[BaseModel], location: tuple[int | str, ...]
) -> tuple[type[BaseModel], tuple[int | str, ...], int]:
    """Follow the location of a Pydantic error into nested TOML tables.

    Returns:
        The model of the innermost table, the location as keys of the file, and the index at which the
        innermost table's field is in that location.
    """
    depth = 0
    while len(location) > depth + 1 and (tables := _list_table_models(model, str(location[depth]))):
        below = location[depth + 1 :]
        if isinstance(below[0], int):  # one of a list of tables
            model, depth = tables[0], depth + 2
        elif len(tables) > 1 or "use" in tables[0].model_fields:
            # Pydantic adds the name of the chosen table after the key; in the file it is the value of `use`.
            model = next(table for table in tables if table.model_fields["use"].default == below[0])
            location, depth = (*location[: depth + 1], *below[1:]), depth + 1
        else:
            model, depth = tables[0], depth + 1
    return model, location, depth


def _list_table_models(model: type[BaseModel], key: str) -> list[type[BaseModel]]:
    """List the models of the TOML tables that a field may hold, alone or in a list."""
    field = model.model_fields.get(key)
    models, annotations = [], [field.annotation if field else None]
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            models.append(annotation)
        annotations.extend(get_args(annotation))
    return models


def _expected_text(field: FieldDescription | None) -> str:
    return f"must be {field.allowed}" if field else ""


def _describe_bad_value(error: ErrorDetails, field: FieldDescription | None) -> tuple[str, str]:
    """Return a rejected value as TOML writes it, and what the field expects instead."""
    value, error_type = error["input"], error["type"]
    value_text = format_toml_value(value)
    draws = ", ".join(f"{{ {draw} = ... }}" for draw in field.draws) if field else ""
    if error_type in ("union_tag_not_found", "union_tag_invalid") and field:
        unknown_kind = next(iter(value), "") if isinstance(value, dict) else ""
        otherwise = f"must be {field.allowed}, or drawn by {draws}"
        return value_text, did_you_mean(unknown_kind, field.draws, otherwise)
    if error_type.startswith("draw_"):
        return value_text, error["msg"]
    if draws and error_type in ("too_short", "too_long"):
        return value_text, "a range is two numbers, a choice one or more"
    if error_type == "too_long" and isinstance(value, list):
        return f"{len(value):,} entries", f"at most {error['ctx']['max_length']:,}"
    if error_type == "string_too_long":
        return f"{len(value):,} characters", f"at most {error['ctx']['max_length']:,}"
    if error_type == "string_unicode":
        return value_text, "a character that is not UTF-8"
    if error_type == "recipe_text" or field is None:
        return value_text, error["msg"]
    if field.options and isinstance(value, str):
        return value_text, did_you_mean(value, field.options, _expected_text(field))
    return value_text, _expected_text(field)


def error_line_number(error: ArtgenError, file: Path) -> int:
    """Return the line of a TOML file that an error names, to sort errors; 0 if it names none."""
    line = error.where.removeprefix(f"{file}:").partition(":")[0]
    return int(line) if line.isascii() and line.isdigit() else 0
