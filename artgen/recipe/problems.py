"""Pydantic's findings as messages: where, what was found, what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from artgen.errors import ArtgenError
from artgen.recipe.document import Document
from artgen.recipe.fields import Described, described, shown
from artgen.recipe.lines import Keys
from artgen.steps.draws import KINDS, VALUE

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
    return None, [_problem(error, model, document, keys, title) for error in found]


def _problem(
    error: ErrorDetails, model: type[BaseModel], document: Document, keys: Keys, title: str
) -> ArtgenError:
    # A drawn field puts its branch after its name; the person never wrote that.
    place = tuple(error["loc"])
    if len(place) > 1 and place[1] in (VALUE, *KINDS):
        place = (place[0], *place[2:])
    name = str(place[0]) if place else ""
    path = ".".join(filter(None, [title, *(str(part) for part in place)]))
    where = f"{document.place((*keys, *place))}: {path}" if path else document.place(keys)
    fields = described(model)
    command = f"artgen steps {model.model_fields['use'].default}" if "use" in model.model_fields else ""
    if error["type"] == "extra_forbidden" and len(place) == 1:
        return ArtgenError(where, "unknown key", did_you_mean(name, fields), command)
    if error["type"] == "missing":
        return ArtgenError(where, "missing", _right(fields.get(name)), command)
    return ArtgenError(where, *_found(error, fields.get(name)))


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
    if kind.startswith("draw_") or kind in ("too_short", "too_long"):
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
