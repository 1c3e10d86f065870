"""Pydantic's findings as messages: where, what was found, what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from artgen.config.document import Document
from artgen.config.draws import KINDS, VALUE
from artgen.config.fields import Described, described, shown
from artgen.config.key_lines import Keys
from artgen.errors import ArtgenError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """``did you mean 'noise'?`` when a known word is close, else the known words."""
    words = list(known)
    close = get_close_matches(str(word).lower(), words, 1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(words)}"


def checked(
    model: type[M], table: Mapping[str, Any], document: Document, keys: Keys, title: str = ""
) -> tuple[M | None, list[ArtgenError]]:
    """A table of the document as its model, or every problem in it.

    Args:
        model: what the table should be.
        table: as parsed.
        document: gives the lines.
        keys: where the table lies in the document.
        title: how messages name the table, e.g. ``steps.grow``.
    """
    try:
        return model.model_validate(table), []
    except ValidationError as invalid:
        found = invalid.errors(include_url=False)
    return None, _distinct(_problem(error, model, document, keys, title) for error in found)


def _distinct(problems: Iterable[ArtgenError]) -> list[ArtgenError]:
    """A value that fits none of several kinds is one problem, not one for each kind."""
    kept: list[ArtgenError] = []
    for problem in problems:
        within = kept and f"{problem.where}.".startswith(f"{kept[-1].where}.")
        if not within or problem.right != kept[-1].right:
            kept.append(problem)
    return kept


def _problem(
    error: ErrorDetails, model: type[BaseModel], document: Document, keys: Keys, title: str
) -> ArtgenError:
    # A drawn field puts its branch after its name; the person never wrote that.
    place = tuple(error["loc"])
    if len(place) > 1 and place[1] in (VALUE, *KINDS):
        place = (place[0], *place[2:])
    outer = "use" in model.model_fields
    model, place, inner = _innermost(model, place)
    # What else is a word there names one of several kinds that a value may be of.
    below = place[inner + 1 :]
    place = (*place[: inner + 1], *(part for part in below if isinstance(part, int) or part in KINDS))
    name = str(place[inner]) if len(place) > inner else ""
    kinds = _tables(model, name) if error["type"] in ("union_tag_not_found", "union_tag_invalid") else []
    place = (*place, "use") if kinds else place
    path = ".".join(filter(None, [title, *(str(part) for part in place)]))
    where = f"{document.place((*keys, *place))}: {path}" if path else document.place(keys)
    fields = described(model)
    command = f"artgen steps {model.model_fields['use'].default}" if outer else ""
    if kinds:
        known = [kind.model_fields["use"].default for kind in kinds]
        if error["type"] == "union_tag_not_found":
            return ArtgenError(where, "missing", f"known: {', '.join(known)}", command)
        use = error["input"]["use"]
        return ArtgenError(where, shown(use), did_you_mean(use, known), command)
    if error["type"] == "extra_forbidden" and len(place) == inner + 1:
        return ArtgenError(where, "unknown key", did_you_mean(name, fields), command)
    if error["type"] == "missing":
        return ArtgenError(where, "missing", _right(fields.get(name)), command)
    return ArtgenError(where, *_found(error, fields.get(name)))


def _innermost(
    model: type[BaseModel], place: tuple[int | str, ...]
) -> tuple[type[BaseModel], tuple[int | str, ...], int]:
    """The table that a place leads into, the place as a person wrote it, and where it begins there."""
    inner = 0
    while len(place) > inner + 1 and (tables := _tables(model, str(place[inner]))):
        rest = place[inner + 1 :]
        if isinstance(rest[0], int):  # one of a list of tables
            model, inner = tables[0], inner + 2
        elif len(tables) > 1 or "use" in tables[0].model_fields:
            # A choice among tables puts the chosen one's name after the key; the person wrote it as `use`.
            model = next(table for table in tables if table.model_fields["use"].default == rest[0])
            place, inner = (*place[: inner + 1], *rest[1:]), inner + 1
        else:
            model, inner = tables[0], inner + 1
    return model, place, inner


def _tables(model: type[BaseModel], key: str) -> list[type[BaseModel]]:
    """The tables that a field may hold, or a list of."""
    field = model.model_fields.get(key)
    found, queue = [], [field.annotation if field else None]
    while queue:
        annotation = queue.pop(0)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.append(annotation)
        queue.extend(get_args(annotation))
    return found


def _right(field: Described | None) -> str:
    return f"must be {field.allowed}" if field else ""


def _found(error: ErrorDetails, field: Described | None) -> tuple[str, str]:
    value, kind = error["input"], error["type"]
    draws = ", ".join(f"{{ {draw} = ... }}" for draw in field.draws) if field else ""
    if kind in ("union_tag_not_found", "union_tag_invalid") and field:
        wrong = next(iter(value), "") if isinstance(value, dict) else ""
        close = get_close_matches(str(wrong), field.draws, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"must be {field.allowed}, or drawn by {draws}"
        return shown(value), hint
    if kind.startswith("draw_") or (draws and kind in ("too_short", "too_long")):
        right = error["msg"] if kind.startswith("draw_") else "a range is two numbers, a choice one or more"
        return shown(value), right
    if kind == "recipe_text":
        return shown(value), error["msg"]
    if field is None:
        return shown(value), error["msg"]
    if field.options and isinstance(value, str):
        close = get_close_matches(value.lower(), field.options, 1)
        return shown(value), f"did you mean {close[0]!r}?" if close else _right(field)
    return shown(value), _right(field)
