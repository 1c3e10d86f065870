"""Overrides of recipe fields for one run: ``--set steps.grow.scale=2``."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from artgen.config.document import Document, KeyPath
from artgen.config.messages import did_you_mean
from artgen.errors import ArtgenError

SET_OPTION_EXAMPLES = "--set steps.grow.scale=2, --set source.size=48 or --set seed=7"


def apply_overrides(document: Document, options: Sequence[str]) -> tuple[Document, list[ArtgenError]]:
    """Write the overrides of ``--set`` into a recipe's document.

    The text keeps its comments, so that a run can store the recipe that it used.

    Args:
        document: the recipe.
        options: ``key=value`` texts.

    Returns:
        The document with the valid overrides, and the errors of the invalid ones.
    """
    if not options:
        return document, []
    errors: list[ArtgenError] = []
    changes: dict[KeyPath, Any] = {}
    option_by_key: dict[KeyPath, str] = {}
    for option in options:
        try:
            keys, value = parse_override(option, document.table)
            changes[keys], option_by_key[keys] = value, f"--set {option}"
        except ArtgenError as error:
            errors.append(error)
    text = _write_changes(document, changes, option_by_key)
    return replace(document, text=text, table=tomllib.loads(text), option_by_key=option_by_key), errors


def parse_override(option: str, table: dict[str, Any]) -> tuple[KeyPath, Any]:
    """Parse a ``--set`` override into the recipe's key path that it sets, and the value.

    Args:
        option: ``key=value``.
        table: the parsed recipe.

    Raises:
        ArtgenError: it is not ``key=value``, or names a table or step that the recipe does not have.
    """
    name, equals, text = option.partition("=")
    where, names = f"--set {option}", tuple(part.strip() for part in name.split("."))
    if not equals or not all(names):
        raise ArtgenError(where, "not of the form KEY=VALUE", f"for example {SET_OPTION_EXAMPLES}")
    value = _parse_value(where, text.strip())
    keys: KeyPath = names
    if names[0] == "steps":
        if len(names) < 3:
            raise ArtgenError(where, "names no field of a step", f"for example {SET_OPTION_EXAMPLES}")
        step_index = _find_step_index(where, names[1], table.get("steps"))
        keys = ("steps", step_index, *names[2:])
        if not isinstance(table["steps"][step_index], dict):
            problem = f"steps.{step_index} is no table in this recipe"
            raise ArtgenError(where, problem, "it is written [[steps]]")
    field_depth = {"steps": 3, "source": 2, "gallery": 2}.get(names[0], 1)
    if field_depth == 2 and not isinstance(table.get(names[0], {}), dict):
        raise ArtgenError(where, f"{names[0]} is no table in this recipe", f"it is written [{names[0]}]")
    if len(keys) < field_depth:
        raise ArtgenError(where, f"names no field of [{names[0]}]", f"for example {SET_OPTION_EXAMPLES}")
    if len(keys) > field_depth + 1:
        raise ArtgenError(where, "too many dots", f"for example {SET_OPTION_EXAMPLES}")
    if len(keys) == field_depth:
        return keys, value
    # steps.grow.noise.uniform=[0, 1] replaces the whole value of noise.
    return keys[:field_depth], {str(keys[field_depth]): value}


def _parse_value(where: str, text: str) -> Any:
    """Parse the TOML value of a ``--set``; a text that is none is taken as a string without quotes."""
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 or ord(letter) == 127 for letter in text):
        raise ArtgenError(where.encode("ascii", "backslashreplace").decode(), "letters that are not text")
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        if text[:1] in ("[", "{", '"', "'"):
            expected = "quote the option: --set 'key=[0, 1]'"
            raise ArtgenError(where, f"{text} is not a TOML value", expected) from None
        return text
    return table["value"] if len(table) == 1 else text


def _find_step_index(where: str, name: str, steps: Any) -> int:
    """Return the index of a recipe's step that is named by its id, its ``use`` or its index."""
    steps = steps if isinstance(steps, list) else []
    names = [str(step.get("id", step.get("use", ""))) if isinstance(step, dict) else "" for step in steps]
    if name in names:
        if names.count(name) > 1:
            raise ArtgenError(where, f"{names.count(name)} steps are called {name!r}", "give each an id")
        return names.index(name)
    if name.isascii() and name.isdigit() and int(name[:6]) < len(steps):
        return int(name[:6])
    expected = did_you_mean(name, filter(None, names)) if any(names) else "the recipe has no steps"
    raise ArtgenError(where, f"no step {name!r}", expected)


def _write_changes(document: Document, changes: dict[KeyPath, Any], option_by_key: dict[KeyPath, str]) -> str:
    """Return the recipe's text with the overrides in it, comments included."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = document.text
    for keys, value in changes.items():
        try:
            toml_document: Any = tomlkit.parse(text)
            table = toml_document
            for key in keys[:-1]:
                if isinstance(key, str) and key not in table:
                    table[key] = tomlkit.table()
                table = table[key]
            table[keys[-1]] = to_inline_table(value) if isinstance(value, dict) else value
            text = tomlkit.dumps(toml_document)
            tomllib.loads(text)
        except (TOMLKitError, ValueError, RecursionError) as error:
            problem = f"cannot be written into {document.path} ({error})"
            raise ArtgenError(option_by_key[keys], problem, "write it into the file instead") from None
    return text


def to_inline_table(table: dict[str, Any]) -> Any:
    """Convert a table to one that TOML writes on one line of a recipe."""
    import tomlkit

    inline = tomlkit.inline_table()
    inline.update(table)
    return inline
