"""The JSON Schema of a recipe, for editors that complete and check while one types."""

from __future__ import annotations

import json
from typing import Any

from artgen.recipe.model import Recipe

DIALECT = "https://json-schema.org/draft/2020-12/schema"
HEADER = "#:schema ./recipe.schema.json"
FILE = "recipe.schema.json"
TITLE = "artgen recipe"


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the recipe file, draws included."""
    tidy: dict[str, Any] = tidied(Recipe.model_json_schema())
    for definition in tidy["$defs"].values():
        if "use" in definition["properties"]:
            definition["required"] = ["use", *definition.get("required", ())]
    return {"$schema": DIALECT, "title": TITLE, **tidy}


def schema_text() -> str:
    """The schema as the file beside the recipes holds it."""
    return as_text(schema())


def as_text(schema: dict[str, Any]) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def tidied(node: Any) -> Any:
    """Without the titles Pydantic invents from names, and without null, which TOML has not."""
    if isinstance(node, list):
        return [tidied(item) for item in node]
    if not isinstance(node, dict):
        return node
    if {"type": "null"} in node.get("anyOf", ()):
        branches = [item for item in node["anyOf"] if item != {"type": "null"}]
        rest = {key: value for key, value in node.items() if key not in ("anyOf", "default")}
        return tidied(rest | (branches[0] if len(branches) == 1 else {"anyOf": branches}))
    return {
        key: {name: tidied(item) for name, item in value.items()} if key == "properties" else tidied(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
    }
