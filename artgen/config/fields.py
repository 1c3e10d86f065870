"""What a field may hold, in words, read from the JSON Schema of its model.

The messages, `artgen steps` and the reference page all speak through here, so none can disagree with
what is checked.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from artgen.config.draws import KINDS


@dataclass(frozen=True)
class Described:
    """One field of a table.

    Args:
        name: its key in the recipe.
        description: what it does.
        allowed: what it may hold, in words.
        default: its default as TOML writes it, or "" where it must be given or nothing is assumed.
        draws: the kinds of draw it accepts.
        options: the words it may be, where these are few.
    """

    name: str
    description: str
    allowed: str
    default: str
    draws: tuple[str, ...]
    options: tuple[str, ...]


def described(model: type[BaseModel]) -> dict[str, Described]:
    """Every field of a model but ``use``, in the order of the model."""
    return {name: _describe(name, spec) for name, spec in _properties(model).items() if name != "use"}


@functools.cache
def _properties(model: type[BaseModel]) -> dict[str, Any]:
    properties: dict[str, Any] = model.model_json_schema()["properties"]
    return properties


def _describe(name: str, spec: dict[str, Any]) -> Described:
    default = spec.get("default")
    plain = plain_branch(spec)
    return Described(
        name=name,
        description=spec.get("description", ""),
        allowed=_allowed(plain, spec),
        default="" if default is None else shown(_unlisted(default)),
        draws=tuple(draws_of(spec)),
        options=tuple(str(word) for word in plain.get("enum", ())),
    )


def plain_branch(spec: dict[str, Any]) -> dict[str, Any]:
    """The part of a field's schema for a value that is not drawn."""
    if "anyOf" in spec and any(branch.get("type") == "null" for branch in spec["anyOf"]):
        branches = [branch for branch in spec["anyOf"] if branch.get("type") != "null"]
        return plain_branch(branches[0]) if len(branches) == 1 else {"anyOf": branches}
    if "oneOf" in spec:
        return plain_branch(spec["oneOf"][0])
    return spec


def draws_of(spec: dict[str, Any]) -> Iterator[str]:
    """The kinds of draw that a field's schema lets in."""
    for branch in spec.get("oneOf", ()) or (b for a in spec.get("anyOf", ()) for b in a.get("oneOf", ())):
        yield from (kind for kind in KINDS if kind in branch.get("properties", ()))


def _allowed(plain: dict[str, Any], spec: dict[str, Any]) -> str:
    if form := spec.get("form"):
        return str(form)
    if words := plain.get("enum"):
        quoted = [shown(word) for word in words]
        return " or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]
    if "const" in plain:
        return shown(plain["const"])
    kind = plain.get("type", "")
    if kind in ("number", "integer"):
        noun = "a whole number" if kind == "integer" else "a number"
        return " ".join(filter(None, [noun, _range(plain), spec.get("unit", "")]))
    if "anyOf" in plain:
        return "a text in quotes, or a list of them"
    return {"boolean": "true or false", "string": "a text in quotes"}.get(kind, f"a TOML {kind}")


def _range(plain: dict[str, Any]) -> str:
    low, high = plain.get("minimum"), plain.get("maximum")
    above, below = plain.get("exclusiveMinimum"), plain.get("exclusiveMaximum")
    first = f"from {low:g}" if low is not None else f"above {above:g}" if above is not None else ""
    last = f"to {_number(high)}" if high is not None else f"below {below:g}" if below is not None else ""
    return " ".join(filter(None, [first, last]))


def _number(value: float) -> str:
    return f"{value:,}".replace(",", "_") if value >= 100_000 else f"{value:g}"


def _unlisted(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def shown(value: Any, longest: int = 60) -> str:
    """A value as TOML writes it, cut after ``longest`` characters."""
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {shown(item, longest)}" for key, item in value.items())
        text = f"{{ {inner} }}"
    elif isinstance(value, list):
        text = f"[{', '.join(shown(item, longest) for item in value[:20])}]"
    elif isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return "a number of too many digits"
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
        text = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}.get(text, text)
    return text if len(text) <= longest else text[: longest - 3] + "..."
