"""``--set steps.grow.scale=2``: change fields of a recipe for one run."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from artgen.config.document import Document
from artgen.config.key_lines import Keys
from artgen.config.messages import did_you_mean
from artgen.errors import ArtgenError

EXAMPLE = "--set steps.grow.scale=2, --set source.size=48 or --set seed=7"


def overridden(document: Document, options: Sequence[str]) -> tuple[Document, list[ArtgenError]]:
    """The document with every option written into it, and what is wrong with the others.

    The text keeps its comments, so that a run can store what it ran.
    """
    if not options:
        return document, []
    problems: list[ArtgenError] = []
    changes: dict[Keys, Any] = {}
    set_by: dict[Keys, str] = {}
    for option in options:
        try:
            keys, value = parsed(option, document.table)
        except ArtgenError as error:
            problems.append(error)
        else:
            changes[keys] = value
            set_by[keys] = f"--set {option}"
    text = _written(document, changes, set_by)
    return replace(document, text=text, table=tomllib.loads(text), set_by=set_by), problems


def parsed(option: str, table: dict[str, Any]) -> tuple[Keys, Any]:
    """An option as the key path it sets in the table, and the value.

    Raises:
        ArtgenError: it is not ``key=value``, or names a table or step that the recipe lacks.
    """
    name, equals, text = option.partition("=")
    where, names = f"--set {option}", tuple(part.strip() for part in name.split("."))
    if not equals or not all(names):
        raise ArtgenError(where, "not of the form KEY=VALUE", f"for example {EXAMPLE}")
    value = _value(where, text.strip())
    if names[0] == "steps":
        if len(names) < 3:
            raise ArtgenError(where, "names no field of a step", f"for example {EXAMPLE}")
        step = _step(where, names[1], table.get("steps"))
        if not isinstance(table["steps"][step], dict):
            raise ArtgenError(where, f"steps.{step} is no table in this recipe", "it is written [[steps]]")
        keys: Keys = ("steps", step, *names[2:])
    else:
        keys = names
    if names[0] in ("source", "gallery") and not isinstance(table.get(names[0], {}), dict):
        raise ArtgenError(where, f"{names[0]} is no table in this recipe", f"it is written [{names[0]}]")
    held = 3 if names[0] == "steps" else 2 if names[0] in ("source", "gallery") else 1
    if len(keys) < held:
        raise ArtgenError(where, f"names no field of [{names[0]}]", f"for example {EXAMPLE}")
    if len(keys) > held + 1:
        raise ArtgenError(where, "too many dots", f"for example {EXAMPLE}")
    # steps.grow.noise.uniform=[0, 1] replaces whatever noise was.
    return (keys[:held], {str(keys[held]): value}) if len(keys) > held else (keys, value)


def _value(where: str, text: str) -> Any:
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 or ord(letter) == 127 for letter in text):
        raise ArtgenError(where.encode("ascii", "backslashreplace").decode(), "letters that are not text")
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        if text[:1] in ("[", "{", '"', "'"):
            raise ArtgenError(
                where, f"{text} is not a TOML value", "quote the option: --set 'key=[0, 1]'"
            ) from None
        return text
    return table["value"] if len(table) == 1 else text


def _step(where: str, name: str, steps: Any) -> int:
    """The index of a step named by its id, its ``use`` or its number from 0."""
    steps = steps if isinstance(steps, list) else []
    names = [str(step.get("id", step.get("use", ""))) if isinstance(step, dict) else "" for step in steps]
    if name in names:
        if names.count(name) > 1:
            raise ArtgenError(where, f"{names.count(name)} steps are called {name!r}", "give each an id")
        return names.index(name)
    if name.isascii() and name.isdigit() and int(name[:6]) < len(steps):
        return int(name[:6])
    known = did_you_mean(name, filter(None, names)) if any(names) else "the recipe has no steps"
    raise ArtgenError(where, f"no step {name!r}", known)


def _written(document: Document, changes: dict[Keys, Any], set_by: dict[Keys, str]) -> str:
    """The document's text with the changes in it, comments kept."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = document.text
    for keys, value in changes.items():
        try:
            whole: Any = tomlkit.parse(text)
            table = whole
            for key in keys[:-1]:
                if isinstance(key, str) and key not in table:
                    table[key] = tomlkit.table()
                table = table[key]
            table[keys[-1]] = _item(value)
            text = tomlkit.dumps(whole)
            tomllib.loads(text)
        except (TOMLKitError, ValueError, RecursionError) as error:
            found = f"cannot be written into {document.path} ({error})"
            raise ArtgenError(set_by[keys], found, "write it into the file instead") from None
    return text


def _item(value: Any) -> Any:
    import tomlkit

    if not isinstance(value, dict):
        return value
    inline = tomlkit.inline_table()
    inline.update(value)
    return inline
