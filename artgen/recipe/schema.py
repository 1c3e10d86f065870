"""The JSON Schema of recipes, for editors that complete and check while one types."""

from __future__ import annotations

import json
from typing import Any

from artgen.recipe.model import Recipe

JSON_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_FILE_NAME = "recipe.schema.json"
SCHEMA_TITLE = "artgen recipe"


def recipe_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a recipe file, including draws."""
    simplified: dict[str, Any] = simplify_schema(Recipe.model_json_schema())
    for definition in simplified["$defs"].values():
        if "use" in definition["properties"]:
            definition["required"] = ["use", *definition.get("required", ())]
    return {"$schema": JSON_SCHEMA_DIALECT, "title": SCHEMA_TITLE, **simplified}


def recipe_schema_text() -> str:
    """Return the text of ``recipe.schema.json``, the file next to the recipes."""
    return format_schema(recipe_schema())


def format_schema(schema: dict[str, Any]) -> str:
    """Format a schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def simplify_schema(node: Any) -> Any:
    """Remove the titles that Pydantic makes from names, and null, which TOML does not have."""
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
