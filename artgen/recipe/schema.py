"""The JSON Schema of recipes, for editors that complete and check while one types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Union

from pydantic import Field, create_model

from artgen.recipe.model import MAX_STEPS, Recipe
from artgen.steps import SOURCES, STEPS, RecipePart

JSON_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_FILE_NAME = "recipe.schema.json"
SCHEMA_TITLE = "artgen recipe"


def recipe_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a recipe file, including draws and installed plug-ins."""
    source, steps = (Recipe.model_fields[name] for name in ("source", "steps"))
    fields: dict[str, Any] = {
        "source": (_part_union(SOURCES.load_all()), Field(description=source.description)),
        "steps": (
            list[_part_union(STEPS.load_all())],  # type: ignore[misc]
            Field(steps.default, description=steps.description, max_length=MAX_STEPS),
        ),
    }
    open_recipe = create_model(Recipe.__name__, __base__=Recipe, __doc__=Recipe.__doc__, **fields)
    simplified: dict[str, Any] = simplify_schema(open_recipe.model_json_schema())
    for definition in simplified["$defs"].values():
        if "use" in definition["properties"]:
            definition["required"] = ["use", *definition.get("required", ())]
    return {"$schema": JSON_SCHEMA_DIALECT, "title": SCHEMA_TITLE, **simplified}


def _part_union(classes: Mapping[str, type[RecipePart]]) -> Any:
    """Return the union of the classes of a recipe's sources or steps, told apart by ``use``."""
    return Annotated[Union[tuple(classes.values())], Field(discriminator="use")]  # noqa: UP007


def recipe_schema_text() -> str:
    """Return the text of ``recipe.schema.json``, the file next to the recipes."""
    return format_schema(recipe_schema())


def format_schema(schema: dict[str, Any]) -> str:
    """Format a recipe's JSON Schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def simplify_schema(node: Any) -> Any:
    """Remove from a JSON Schema the titles that Pydantic makes of names, and null, which TOML lacks."""
    if isinstance(node, list):
        return [simplify_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    if {"type": "null"} in node.get("anyOf", ()):
        branches = [item for item in node["anyOf"] if item != {"type": "null"}]
        other_keys = {key: value for key, value in node.items() if key not in ("anyOf", "default")}
        return simplify_schema(other_keys | (branches[0] if len(branches) == 1 else {"anyOf": branches}))
    return {
        key: {name: simplify_schema(item) for name, item in value.items()}
        if key == "properties"
        else simplify_schema(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
    }
