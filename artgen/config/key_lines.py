"""Line numbers of the keys of a TOML text, which the standard parser does not report."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

KeyPath = tuple[str | int, ...]

_STATEMENT = re.compile(r"\S")
_KEY = re.compile(r"""\s*("(?:\\.|[^"\\])*"|'[^']*'|[A-Za-z0-9_-]+)\s*(\.?)""")
_VALUE = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[^"\'#\[\]{}\n]+|.',
    re.DOTALL,
)


def find_key_lines(text: str) -> dict[KeyPath, int]:
    """Return the 1-based line of each key and table of a *valid* TOML text."""
    lines: dict[KeyPath, int] = {}
    last_indices: dict[KeyPath, int] = {}
    table: KeyPath = ()
    position, line = 0, 1
    while match := _STATEMENT.search(text, position):
        start = match.start()
        line += text.count("\n", position, start)
        if text[start] == "#":
            end = _line_end(text, start)
        elif text[start] == "[":
            is_array = text.startswith("[[", start)
            names, end = _parse_dotted_key(text, start + (2 if is_array else 1))
            end = _line_end(text, end)
            table = (*_resolve_table_keys(names[:-1], last_indices), names[-1])
            if is_array:
                lines.setdefault(table, line)
                last_indices[table] = last_indices.get(table, -1) + 1
                table = (*table, last_indices[table])
            else:
                table = _resolve_table_keys(names, last_indices)
            lines[table] = line
        else:
            names, end = _parse_dotted_key(text, start)
            for count in range(1, len(names) + 1):
                lines.setdefault(table + names[:count], line)
            end = _skip_value(text, end)
        line += text.count("\n", start, end)
        position = end
    return lines


def _resolve_table_keys(names: tuple[str, ...], last_indices: Mapping[KeyPath, int]) -> KeyPath:
    """Insert the index of the current entry after each array of tables in a header's names."""
    keys: KeyPath = ()
    for name in names:
        keys = (*keys, name)
        if keys in last_indices:
            keys = (*keys, last_indices[keys])
    return keys


def _parse_dotted_key(text: str, position: int) -> tuple[tuple[str, ...], int]:
    """Return the names of a dotted key, and the position after it."""
    names: list[str] = []
    while match := _KEY.match(text, position):
        quoted = match[1][0] in "\"'"
        names.append(next(iter(tomllib.loads(f"{match[1]} = 0"))) if quoted else match[1])
        position = match.end()
        if not match[2]:
            break
    return tuple(names), position


def _line_end(text: str, position: int) -> int:
    """Return the position of the next line's first character."""
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1


def _skip_value(text: str, position: int) -> int:
    """Return the position after a value, which may span several lines."""
    depth = 0
    while match := _VALUE.match(text, position):
        position = match.end()
        token = match[0]
        if token == "\n" and depth == 0:
            break
        depth += (token in ("[", "{")) - (token in ("]", "}"))
    return position
