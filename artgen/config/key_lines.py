"""Which line of a TOML text each key stands on: the standard parser does not say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

Keys = tuple[str | int, ...]

_STATEMENT = re.compile(r"\S")
_KEY = re.compile(r"""\s*("(?:\\.|[^"\\])*"|'[^']*'|[A-Za-z0-9_-]+)\s*(\.?)""")
_VALUE = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[^"\'#\[\]{}\n]+|.',
    re.DOTALL,
)


def key_lines(text: str) -> dict[Keys, int]:
    """The 1-based line of each key and table of a *valid* TOML text."""
    lines: dict[Keys, int] = {}
    arrays: dict[Keys, int] = {}
    table: Keys = ()
    place, line = 0, 1
    while match := _STATEMENT.search(text, place):
        start = match.start()
        line += text.count("\n", place, start)
        if text[start] == "#":
            end = _line_end(text, start)
        elif text[start] == "[":
            array = text.startswith("[[", start)
            names, end = _dotted(text, start + (2 if array else 1))
            end = _line_end(text, end)
            table = (*_resolve(names[:-1], arrays), names[-1])
            if array:
                lines.setdefault(table, line)
                arrays[table] = arrays.get(table, -1) + 1
                table = (*table, arrays[table])
            else:
                table = _resolve(names, arrays)
            lines[table] = line
        else:
            names, end = _dotted(text, start)
            for count in range(1, len(names) + 1):
                lines.setdefault(table + names[:count], line)
            end = _skip_value(text, end)
        line += text.count("\n", start, end)
        place = end
    return lines


def _resolve(names: tuple[str, ...], arrays: Mapping[Keys, int]) -> Keys:
    """A header's names with the index of the current entry after each array of tables."""
    keys: Keys = ()
    for name in names:
        keys = (*keys, name)
        if keys in arrays:
            keys = (*keys, arrays[keys])
    return keys


def _dotted(text: str, place: int) -> tuple[tuple[str, ...], int]:
    names: list[str] = []
    while match := _KEY.match(text, place):
        quoted = match[1][0] in "\"'"
        names.append(next(iter(tomllib.loads(f"{match[1]} = 0"))) if quoted else match[1])
        place = match.end()
        if not match[2]:
            break
    return tuple(names), place


def _line_end(text: str, place: int) -> int:
    end = text.find("\n", place)
    return len(text) if end < 0 else end + 1


def _skip_value(text: str, place: int) -> int:
    depth = 0
    while match := _VALUE.match(text, place):
        place = match.end()
        token = match[0]
        if token == "\n" and depth == 0:
            break
        depth += (token in ("[", "{")) - (token in ("]", "}"))
    return place
