"""Values that chance may choose: ``Drawn[T]`` is a ``T`` or one of four small tables.

``{ choice = [...] }``, ``{ uniform = [a, b] }``, ``{ log_uniform = [a, b] }`` and
``{ integer = [a, b] }``. The limits of ``T`` hold for every value that the draw can give.
"""

from __future__ import annotations

import math
import random
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic_core import CoreSchema, PydanticCustomError, core_schema

T = TypeVar("T")
KINDS = ("choice", "uniform", "log_uniform", "integer")
VALUE = "value"


@dataclass(frozen=True)
class Draw:
    """A value chosen once per candidate.

    Args:
        kind: one of ``KINDS``.
        values: the alternatives of a choice, or the two ends of a range (both included).
    """

    kind: str
    values: tuple[Any, ...]

    def draw(self, stream: random.Random) -> Any:
        """One value. Ranges of reals give four significant digits: what a person can type again."""
        if self.kind == "choice":
            return self.values[stream.randrange(len(self.values))]
        low, high = self.values
        if self.kind == "integer":
            return stream.randint(int(low), int(high))
        if self.kind == "uniform":
            value = low + (high - low) * stream.random()
        else:
            value = math.exp(math.log(low) + (math.log(high) - math.log(low)) * stream.random())
        return min(max(float(f"{value:.4g}"), float(low)), float(high))

    def spec(self) -> dict[str, list[Any]]:
        """The draw as the recipe writes it."""
        return {self.kind: list(self.values)}


def possible(value: Any) -> tuple[Any, ...]:
    """Every value a field may take, for fields that name things: a choice's alternatives, or itself."""
    return value.values if isinstance(value, Draw) else (value,)


def plain(value: Any) -> Any:
    """A field's value as TOML and JSON can hold it."""
    return value.spec() if isinstance(value, Draw) else value


def _kind(value: Any) -> str | None:
    if not isinstance(value, dict):
        return VALUE
    return next(iter(value)) if len(value) == 1 and next(iter(value)) in KINDS else None


def _from_table(kind: str) -> Callable[[Any], Draw]:
    def build(table: dict[str, list[Any]]) -> Draw:
        values = tuple(table[kind])
        if kind != "choice":
            low, high = values
            if low > high:
                raise PydanticCustomError("draw_order", "the smaller number comes first")
            if kind == "log_uniform" and low <= 0:
                raise PydanticCustomError("draw_log", "log_uniform needs numbers above 0")
            if kind == "integer" and (low != int(low) or high != int(high)):
                raise PydanticCustomError("draw_integer", "integer needs two whole numbers")
        return Draw(kind, values)

    return build


def _names(annotation: Any) -> set[Any]:
    """The plain types inside an annotation."""
    if get_origin(annotation) is Annotated:
        return _names(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return set().union(*(_names(part) for part in get_args(annotation)))
    return {annotation}


def _kinds(annotation: Any) -> tuple[str, ...]:
    names = _names(annotation)
    if float in names:
        return KINDS
    return ("choice", "integer") if int in names else ("choice",)


class _DrawnSchema:
    """Annotation metadata that teaches Pydantic the tables beside the plain value."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], CoreSchema]) -> CoreSchema:
        value = handler(source)
        choices: dict[str, CoreSchema] = {VALUE: value}
        for kind in _kinds(source):
            count = (1, None) if kind == "choice" else (2, 2)
            listed = core_schema.list_schema(value, min_length=count[0], max_length=count[1], strict=True)
            table = core_schema.typed_dict_schema(
                {kind: core_schema.typed_dict_field(listed)}, extra_behavior="forbid"
            )
            choices[kind] = core_schema.no_info_after_validator_function(_from_table(kind), table)
        return core_schema.tagged_union_schema(
            choices, _kind, serialization=core_schema.plain_serializer_function_ser_schema(plain)
        )


if TYPE_CHECKING:
    Drawn = Annotated[T, Literal["drawn"]]
else:

    class Drawn:
        """``Drawn[T]``: a ``T``, or a table that draws one."""

        def __class_getitem__(cls, annotation: Any) -> Any:
            """The annotation Pydantic sees."""
            return Annotated[annotation, _DrawnSchema()]
