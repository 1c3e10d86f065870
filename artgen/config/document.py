"""TOML files, parsed with the line number of every key, so that messages can name the line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from artgen.errors import ArtgenError

KeyPath = tuple[str | int, ...]
MAX_TOML_FILE_BYTES = 200_000
MAX_TOML_NESTING_LEVELS = 16
# Possessive, so that no text takes more than linear time.
_QUOTED_TEXT_PATTERN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*+"|\'[^\'\n]*+\'|#[^\n]*+', re.DOTALL
)
_TOO_DEEP_KEY_PATTERN = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{MAX_TOML_NESTING_LEVELS}}}")
_STATEMENT_START_PATTERN = re.compile(r"\S")
_KEY_PATTERN = re.compile(r"""\s*("(?:\\.|[^"\\])*"|'[^']*'|[A-Za-z0-9_-]+)\s*(\.?)""")
_VALUE_PATTERN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[^"\'#\[\]{}\n]+|.',
    re.DOTALL,
)


@dataclass(frozen=True)
class Document:
    """A parsed TOML file.

    Args:
        path: the file, as messages show it.
        text: its content.
        table: the parsed content.
        line_by_key: 1-based line of each key path; an entry of an array of tables has its index in the path.
        option_by_key: the ``--set`` option that gave a key path, e.g. ``--set seed=7``.
    """

    path: Path
    text: str
    table: dict[str, Any]
    line_by_key: Mapping[KeyPath, int]
    option_by_key: Mapping[KeyPath, str] = field(default_factory=dict)

    def locate(self, keys: KeyPath) -> str:
        """Return where a key is given: ``recipe.toml:12``, or a ``--set`` option, or the file alone."""
        for end in range(len(keys), 0, -1):
            if option := self.option_by_key.get(keys[:end]):
                return option
            if line := self.line_by_key.get(keys[:end]):
                return f"{self.path}:{line}"
        return str(self.path)


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a TOML text of any origin, in time and memory proportional to its length.

    Raises:
        ValueError: it is not TOML, longer than 200 kB or nested more than 16 levels deep.
    """
    if len(text) > MAX_TOML_FILE_BYTES:
        raise ValueError("longer than 200 kB")
    # The parser takes quadratic time for dotted keys; texts in quotes may hold as many dots as they like.
    if match := _TOO_DEEP_KEY_PATTERN.search(_QUOTED_TEXT_PATTERN.sub("q", text)):
        raise ValueError(f"nested too deeply: {match[0][:20]}...")
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if _is_nested_deeper(table, MAX_TOML_NESTING_LEVELS):
        raise ValueError("nested too deeply")
    return table


def read_document(path: Path) -> Document:
    """Read and parse a TOML file.

    Raises:
        ArtgenError: the file is missing, unreadable, too large, not UTF-8 or not TOML (with the line).
    """
    text = read_toml_text(path)
    try:
        return Document(path, text, parse_toml(text), find_key_lines(text))
    except ValueError as error:
        if "nested too deeply" in str(error):
            expected = f"a recipe is at most {MAX_TOML_NESTING_LEVELS} levels deep"
            raise ArtgenError(str(path), str(error), expected) from None
        raise _syntax_error(path, text, error) from None


def read_toml_text(path: Path) -> str:
    """Read the text of a TOML file, at most 200 kB.

    Raises:
        ArtgenError: the file is missing, unreadable, too large or not UTF-8.
    """
    where = str(path)
    try:
        if path.is_dir():
            raise ArtgenError(where, "a folder", "name the recipe file in it")
        with path.open("rb") as file:
            content = file.read(MAX_TOML_FILE_BYTES + 1)
    except FileNotFoundError:
        raise ArtgenError(where, "no such file", _suggest_file(path), "artgen new NAME") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ArtgenError(where, f"cannot be read: {reason}") from None
    if len(content) > MAX_TOML_FILE_BYTES:
        raise ArtgenError(where, "larger than 200 kB", "a recipe is a short text file")
    if b"\0" in content:
        raise ArtgenError(where, "not a text file", "a recipe is a TOML text in UTF-8")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise ArtgenError(f"{where}:{line}", problem, "save the file as UTF-8") from None


def _suggest_file(path: Path) -> str:
    """Return ``did you mean ...`` for a TOML file of a similar name in the same folder, or ``""``."""
    from difflib import get_close_matches

    try:
        names = [file.name for file in path.parent.glob("*.toml") if file.is_file()]
    except (OSError, ValueError):
        return ""
    matches = get_close_matches(path.name, names, 1)
    return f"did you mean {str(path.parent / matches[0])!r}?" if matches else ""


def _syntax_error(path: Path, text: str, error: ValueError) -> ArtgenError:
    """Convert an error of ``tomllib`` to one that names the line and quotes it.

    Args:
        path: the file.
        text: its content.
        error: what ``tomllib.loads`` raised.
    """
    message = str(error)
    match = re.search(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    reason = message[: match.start()] if match else message
    reason = reason[:1].lower() + reason[1:]
    if "string conversion" in reason:
        reason = "a number of too many digits"
    where, excerpt, lines = str(path), "", text.split("\n")
    if match and match[1]:
        where = f"{path}:{match[1]}:{match[2]}"
        excerpt = "".join(lines[int(match[1]) - 1 : int(match[1])]).strip()
        excerpt = f" in `{excerpt[:60]}`" if excerpt else ""
    elif match:
        where, reason = f"{path}:{len(lines)}", f"{reason} (the file ends too early)"
    return ArtgenError(where, f"not TOML: {reason}{excerpt}", _syntax_hint(reason, excerpt))


def _syntax_hint(reason: str, excerpt: str) -> str:
    """Return advice for common mistakes: quotes, decimal commas, paths of Windows, a key given twice."""
    if re.search("[\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb]", excerpt):
        return 'quotes are straight: key = "word"'
    if re.search(r"= *[+-]?\d+,\d", excerpt):
        return "decimals are written with a point: key = 0.2"
    if "\\" in excerpt and ("escape" in reason or "backslash" in reason or "unescaped" in reason.lower()):
        return 'folders are separated by slashes, on Windows, too: "pictures/sea.jpg"'
    if re.search(r"= *[A-Za-z]", excerpt) and "invalid value" in reason:
        return 'words are written in quotes: key = "word"'
    if "overwrite" in reason or "twice" in reason:
        return "each key and table may be given once; steps are written [[steps]]"
    return ""


def _is_nested_deeper(value: object, levels: int) -> bool:
    """Return whether a parsed TOML table or list has more than ``levels`` levels in it."""
    if not isinstance(value, dict | list):
        return False
    children = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_nested_deeper(child, levels - 1) for child in children)


def find_key_lines(text: str) -> dict[KeyPath, int]:
    """Return the 1-based line of each key and table of a *valid* TOML text."""
    lines: dict[KeyPath, int] = {}
    last_indices: dict[KeyPath, int] = {}
    table: KeyPath = ()
    position, line = 0, 1
    while match := _STATEMENT_START_PATTERN.search(text, position):
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
    """Return the names of a dotted TOML key, and the position after it."""
    names: list[str] = []
    while match := _KEY_PATTERN.match(text, position):
        quoted = match[1][0] in "\"'"
        names.append(next(iter(tomllib.loads(f"{match[1]} = 0"))) if quoted else match[1])
        position = match.end()
        if not match[2]:
            break
    return tuple(names), position


def _line_end(text: str, position: int) -> int:
    """Return the position of the TOML text's next line."""
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1


def _skip_value(text: str, position: int) -> int:
    """Return the position after a TOML value, which may span several lines."""
    depth = 0
    while match := _VALUE_PATTERN.match(text, position):
        position = match.end()
        token = match[0]
        if token == "\n" and depth == 0:
            break
        depth += (token in ("[", "{")) - (token in ("]", "}"))
    return position
