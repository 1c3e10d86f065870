"""The JSON Schema of training recipes, by which editors complete and check them."""

from __future__ import annotations

from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter

from artgen.recipe.schema import JSON_SCHEMA_DIALECT, simplify_schema
from artgen.training.recipes import FAMILIES

SCHEMA_COMMENT = "#:schema ./training.schema.json"  # first line of a recipe, read by editors
SCHEMA_TITLE = "artgen training recipe"


def build_training_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a training recipe: one alternative a family."""
    union: Any = Union[tuple(FAMILIES.load_all().values())]  # noqa: UP007
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[union, Field(discriminator="family")])
    schema: dict[str, Any] = simplify_schema(adapter.json_schema())
    return {"$schema": JSON_SCHEMA_DIALECT, "title": SCHEMA_TITLE, **schema}
