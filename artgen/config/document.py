"""A TOML file with the line of every key, so that a message can say where."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from artgen.config.key_lines import Keys, key_lines
from artgen.errors import ArtgenError

LARGEST = 200_000
DEEPEST = 16


@dataclass(frozen=True)
class Document:
    """A parsed TOML file.

    Args:
        path: the file, as messages show it.
        text: its content.
        table: the parsed content.
        lines: 1-based line of each key path; an entry of an array of tables has its index in the path.
        set_by: key paths that a ``--set`` gave, with the text of that option.
    """

    path: Path
    text: str
    table: dict[str, Any]
    lines: Mapping[Keys, int]
    set_by: Mapping[Keys, str] = field(default_factory=dict)

    def place(self, keys: Keys) -> str:
        """``recipe.toml:12``, or the ``--set`` that gave this key, or the file alone."""
        for end in range(len(keys), 0, -1):
            if option := self.set_by.get(keys[:end]):
                return option
            if line := self.lines.get(keys[:end]):
                return f"{self.path}:{line}"
        return str(self.path)


def read(path: Path) -> Document:
    """Read a TOML file.

    Raises:
        ArtgenError: it is missing, unreadable, too large, not UTF-8 or not TOML (with the line).
    """
    text = _text(path)
    try:
        table = tomllib.loads(text)
        lines = key_lines(text)
    except RecursionError:
        raise ArtgenError(str(path), "nested too deeply", _depth_hint()) from None
    except ValueError as error:
        raise syntax_error(path, text, error) from None
    if _deeper(table, DEEPEST):
        raise ArtgenError(str(path), "nested too deeply", _depth_hint())
    return Document(path, text, table, lines)


def _depth_hint() -> str:
    return f"a recipe is at most {DEEPEST} levels deep"


def _text(path: Path) -> str:
    where = str(path)
    try:
        if path.is_dir():
            raise ArtgenError(where, "a folder", "name the recipe file in it")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise ArtgenError(where, "no such file", _others(path), "artgen new NAME") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ArtgenError(where, f"cannot be read: {reason}") from None
    if len(content) > LARGEST:
        raise ArtgenError(where, "larger than 200 kB", "a recipe is a short text file")
    if b"\0" in content:
        raise ArtgenError(where, "not a text file", "a recipe is a TOML text in UTF-8")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ArtgenError(
            f"{where}:{line}", f"byte 0x{content[error.start]:02x} is not UTF-8", "save the file as UTF-8"
        ) from None


def _others(path: Path) -> str:
    from difflib import get_close_matches

    try:
        names = [p.name for p in path.parent.glob("*.toml")]
    except (OSError, ValueError):
        return ""
    close = get_close_matches(path.name, names, 1)
    return f"did you mean {str(path.parent / close[0])!r}?" if close else ""


def syntax_error(path: Path, text: str, error: ValueError) -> ArtgenError:
    """A parser's complaint as a message with its line and what stands there."""
    message = str(error)
    match = re.search(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    reason = message[: match.start()] if match else message
    reason = reason[:1].lower() + reason[1:]
    if "string conversion" in reason:
        reason = "a number of too many digits"
    if match and match[1]:
        line = int(match[1])
        where = f"{path}:{line}:{match[2]}"
        rows = text.split("\n")
        shown = rows[line - 1].strip() if line <= len(rows) else ""
    else:
        where, shown = (f"{path}:{text.count(chr(10)) + 1}" if match else str(path)), ""
    if match and not match[1]:
        reason += " (the file ends too early)"
    shown = f" in `{shown[:60]}`" if shown else ""
    return ArtgenError(where, f"not TOML: {reason}{shown}", _syntax_hint(reason, shown))


def _syntax_hint(reason: str, shown: str) -> str:
    if re.search(r"= *[A-Za-z]", shown) and "invalid value" in reason:
        return 'words are written in quotes: key = "word"'
    if "overwrite" in reason or "twice" in reason:
        return "each key and table may be given once; steps are written [[steps]]"
    return ""


def _deeper(table: object, levels: int) -> bool:
    layer: list[object] = [table]
    for _ in range(levels):
        layer = [
            child
            for value in layer
            if isinstance(value, (dict, list))
            for child in (value.values() if isinstance(value, dict) else value)
        ]
    return any(isinstance(value, (dict, list)) for value in layer)
