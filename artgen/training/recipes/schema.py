"""The JSON Schema of training recipes, for editors that complete and check while one types."""

from __future__ import annotations

from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter

from artgen.recipe.schema import DIALECT, tidied
from artgen.training.recipes import FAMILIES

HEADER = "#:schema ./training.schema.json"
TITLE = "artgen training recipe"


def training_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a training recipe: one alternative a family."""
    union: Any = Union[tuple(FAMILIES.values())]  # noqa: UP007
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[union, Field(discriminator="family")])
    tidy: dict[str, Any] = tidied(adapter.json_schema())
    return {"$schema": DIALECT, "title": TITLE, **tidy}
