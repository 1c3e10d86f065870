"""Descriptions in words of what a field may hold, read from the JSON Schema of its model.

Error messages, `artgen steps` and the reference pages all use them, so that none can disagree with the
validation.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from artgen.config.draws import DRAW_KINDS


@dataclass(frozen=True)
class FieldDescription:
    """A field of a TOML table, described for people.

    Args:
        name: its key in the recipe.
        description: what it does.
        allowed: what it may hold, in words.
        default: its default as TOML writes it, or "" if it has none or must be given.
        draws: the kinds of draw that it accepts.
        options: the words that it may be, for a field that is one of a few words; otherwise empty.
    """

    name: str
    description: str
    allowed: str
    default: str
    draws: tuple[str, ...]
    options: tuple[str, ...]


@functools.cache
def describe_fields(model: type[BaseModel]) -> Mapping[str, FieldDescription]:
    """Describe every field of a model except ``use``, in the order of the model."""
    properties = model.model_json_schema()["properties"]
    return {name: _describe_field(name, spec) for name, spec in properties.items() if name != "use"}


def _describe_field(name: str, spec: dict[str, Any]) -> FieldDescription:
    default = spec.get("default")
    if isinstance(default, list) and len(default) == 1:
        default = default[0]
    plain_schema = plain_value_schema(spec)
    return FieldDescription(
        name=name,
        description=spec.get("description", ""),
        allowed=_describe_allowed(plain_schema, spec),
        default="" if default is None else format_toml_value(default),
        draws=tuple(list_draw_kinds(spec)),
        options=tuple(str(word) for word in plain_schema.get("enum", ())),
    )


def plain_value_schema(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a field's JSON Schema for a fixed value, not a draw."""
    if "anyOf" in spec and any(branch.get("type") == "null" for branch in spec["anyOf"]):
        branches = [branch for branch in spec["anyOf"] if branch.get("type") != "null"]
        return plain_value_schema(branches[0]) if len(branches) == 1 else {"anyOf": branches}
    if "oneOf" in spec:
        return plain_value_schema(spec["oneOf"][0])
    return spec


def list_draw_kinds(spec: dict[str, Any]) -> Iterator[str]:
    """Yield the kinds of draw that a field's JSON Schema accepts."""
    optional = (branch for outer in spec.get("anyOf", ()) for branch in outer.get("oneOf", ()))
    for branch in spec.get("oneOf", ()) or optional:
        yield from (kind for kind in DRAW_KINDS if kind in branch.get("properties", ()))


def _describe_allowed(plain_schema: dict[str, Any], spec: dict[str, Any]) -> str:
    if form := spec.get("form"):
        return str(form)
    if words := plain_schema.get("enum"):
        quoted = [format_toml_value(word) for word in words]
        return " or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]
    if "const" in plain_schema:
        return format_toml_value(plain_schema["const"])
    kind = plain_schema.get("type", "")
    if kind in ("number", "integer"):
        noun = "a whole number" if kind == "integer" else "a number"
        return " ".join(filter(None, [noun, _describe_range(plain_schema), spec.get("unit", "")]))
    if "anyOf" in plain_schema:
        return "a text in quotes, or a list of them"
    return {"boolean": "true or false", "string": "a text in quotes"}.get(kind, f"a TOML {kind or 'table'}")


def _describe_range(plain_schema: dict[str, Any]) -> str:
    low, high = plain_schema.get("minimum"), plain_schema.get("maximum")
    above, below = plain_schema.get("exclusiveMinimum"), plain_schema.get("exclusiveMaximum")
    lower = f"from {low:g}" if low is not None else f"above {above:g}" if above is not None else ""
    upper = f"below {below:g}" if below is not None else ""
    if high is not None:
        upper = f"to {high:_}" if high >= 100_000 else f"to {high:g}"
    return " ".join(filter(None, [lower, upper]))


def format_toml_value(value: Any, max_length: int = 60) -> str:
    """Format a value as TOML writes it, for messages, cut after ``max_length`` characters."""
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {format_toml_value(item, max_length)}" for key, item in value.items())
        text = f"{{ {inner} }}"
    elif isinstance(value, list):
        text = f"[{', '.join(format_toml_value(item, max_length) for item in value[:20])}]"
    elif isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return "a number of too many digits"
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
        text = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}.get(text, text)
    return text if len(text) <= max_length else text[: max_length - 3] + "..."
