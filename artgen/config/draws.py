"""Values that may be drawn at random per candidate: ``Drawn[T]`` is a ``T`` or one of four small tables.

``{ choice = [...] }``, ``{ uniform = [a, b] }``, ``{ log_uniform = [a, b] }`` and
``{ integer = [a, b] }``. The limits of ``T`` apply to every value that can be drawn.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from artgen.seeds import RandomStream

T = TypeVar("T")
DRAW_KINDS = ("choice", "uniform", "log_uniform", "integer")
FIXED_VALUE_TAG = "value"


@dataclass(frozen=True)
class Draw:
    """A value of a recipe that is drawn at random, once per candidate.

    Args:
        kind: one of ``DRAW_KINDS``.
        values: the alternatives of a choice, or the two ends of a range (both included).
    """

    kind: str
    values: tuple[Any, ...]

    def draw(self, rng: RandomStream) -> Any:
        """Draw a candidate's value; a real one has four significant digits, so that a person can type it."""
        if self.kind == "choice":
            return self.values[rng.randrange(len(self.values))]
        low, high = self.values
        if self.kind == "integer":
            return int(low) + rng.randrange(int(high) - int(low) + 1)
        if self.kind == "uniform":
            value = low + (high - low) * rng.random()
        else:
            value = math.exp(math.log(low) + (math.log(high) - math.log(low)) * rng.random())
        return min(max(float(f"{value:.4g}"), float(low)), float(high))

    def can_give(self, value: Any) -> bool:
        """Return whether a value, perhaps from a file, is one that can be drawn."""
        if self.kind == "choice":
            return any(type(value) is type(option) and value == option for option in self.values)
        is_number = isinstance(value, int if self.kind == "integer" else int | float)
        return bool(is_number and not isinstance(value, bool) and self.values[0] <= value <= self.values[1])

    def to_table(self) -> dict[str, list[Any]]:
        """Return the draw as the TOML table that a recipe has, e.g. ``{"uniform": [0.0, 1.0]}``."""
        return {self.kind: list(self.values)}


def possible_values(value: Any) -> tuple[Any, ...]:
    """Return every value that a recipe's field may take: the options of a choice, or the fixed value."""
    return value.values if isinstance(value, Draw) else (value,)


def to_toml_value(value: Any) -> Any:
    """Convert a recipe field's value to what TOML and JSON can store: a draw becomes its table."""
    return value.to_table() if isinstance(value, Draw) else value


def _schema_tag(value: Any) -> str | None:
    """Return which branch of the tagged union an input belongs to: a kind of draw, or ``FIXED_VALUE_TAG``."""
    if not isinstance(value, dict):
        return FIXED_VALUE_TAG
    return next(iter(value)) if len(value) == 1 and next(iter(value)) in DRAW_KINDS else None


def _parse_table(table: dict[str, list[Any]]) -> Draw:
    """Build a draw from its TOML table, and check the order of its ends."""
    ((kind, values),) = table.items()
    if kind != "choice":
        low, high = values
        if low > high:
            raise PydanticCustomError("draw_order", "the smaller number comes first")
        if kind == "log_uniform" and low <= 0:
            raise PydanticCustomError("draw_log", "log_uniform needs numbers above 0")
        if kind == "integer" and (low != int(low) or high != int(high)):
            raise PydanticCustomError("draw_integer", "integer needs two whole numbers")
    return Draw(kind, tuple(values))


def _plain_types(annotation: Any) -> set[Any]:
    """Return the types inside a field's annotation, without ``Annotated`` and unions."""
    if get_origin(annotation) is Annotated:
        return _plain_types(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return set().union(*(_plain_types(part) for part in get_args(annotation)))
    return {annotation}


def _supported_kinds(annotation: Any) -> tuple[str, ...]:
    """Return the kinds of draw that can give a value of an annotation's type."""
    plain_types = _plain_types(annotation)
    if float in plain_types:
        return DRAW_KINDS
    return ("choice", "integer") if int in plain_types else ("choice",)


class _DrawnSchema:
    """Annotation metadata that lets Pydantic accept the tables of a draw as well as the plain value."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], CoreSchema]) -> CoreSchema:
        value = handler(source)
        branches: dict[str, CoreSchema] = {FIXED_VALUE_TAG: value}
        for kind in _supported_kinds(source):
            min_length, max_length = (1, None) if kind == "choice" else (2, 2)
            values = core_schema.list_schema(value, min_length=min_length, max_length=max_length, strict=True)
            table = core_schema.typed_dict_schema(
                {kind: core_schema.typed_dict_field(values)}, extra_behavior="forbid"
            )
            branches[kind] = core_schema.no_info_after_validator_function(_parse_table, table)
        return core_schema.tagged_union_schema(
            branches,
            _schema_tag,
            serialization=core_schema.plain_serializer_function_ser_schema(to_toml_value),
        )


if TYPE_CHECKING:
    Drawn = Annotated[T, Literal["drawn"]]
else:

    class Drawn:
        """``Drawn[T]``: a ``T``, or a table that draws one."""

        def __class_getitem__(cls, annotation: Any) -> Any:
            """Return the annotation by which Pydantic accepts a plain value or a draw of it."""
            return Annotated[annotation, _DrawnSchema()]
