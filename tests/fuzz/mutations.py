"""Seeded mutations of bytes, TOML, JSON and SQLite files: what a stranger, or a bad disk, makes of them."""

from __future__ import annotations

import json
import random
import re
import sqlite3
import tomllib
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

TOKENS = (
    *(b'"', b"'", b'"""', b"[", b"]", b"[[", b"{", b"}", b"=", b",", b".", b"#", b"\n", b"\r\n", b"\0"),
    *(b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\x1b[2J", "\u202e\u2028é".encode(), b"\\ud800"),
    *(b"1e999", b"-0", b"nan", b"inf", b"null", b"true", b"9" * 5_000, b"0x" + b"f" * 300, b"2026-13-45"),
    *(b"a." * 400, b"[" * 3_000, b"{a=" * 60, b'{"a":' * 3_000, b"../" * 20, b"x" * 300, b"%s%n{0}{{}}"),
)
ODD_TEXTS = (
    *("", " ", "\x00", "\x1b]0;x\x07", "\ud800", "\udcff", "\u202e", "é" * 140, "x" * 300, "y" * 6_000),
    *(
        "../../../etc/passwd",
        "/dev/zero",
        "/dev/full",
        "/**",
        "~nobody/x",
        "C:\\x",
        "a\nb",
        "{index.__class__}",
    ),
    *(
        "{",
        "builtin:",
        "builtin:nothing",
        "[::1",
        "http://[::1",
        "https://a:99999/",
        "//x",
        "NaN",
        "con.toml",
    ),
    *("crops", "photos", "upscale", "kept", "mark", "2026-02-30T25:61:00Z", "1e400", "0" * 5_000),
)
ODD_NUMBERS = (
    *(0, -1, 1, 2, 7, 255, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**30, 10**400, -(10**18)),
    *(0.0, -0.0, 0.5, 1e-320, 1e308, float("inf"), float("-inf"), float("nan")),
)


def mutate_bytes(content: bytes, chance: random.Random) -> bytes:
    """Change bytes, slices and tokens at one to four places."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        end = min(len(data), place + chance.choice((1, 1, 3, 20, 200)))
        match chance.randrange(5):
            case 0 if place < len(data):
                data[place] ^= 1 << chance.randrange(8)
            case 1:
                del data[place:end]
            case 2:
                data[place:place] = data[place:end] * chance.choice((1, 2, 30))
            case 3:
                data[place:end] = chance.choice(TOKENS)
            case _:
                data[place:place] = chance.choice(TOKENS)
    return bytes(data)


def odd_value(chance: random.Random) -> Any:
    """Return a value that no program wrote: huge, deep, empty, half a character, of another kind."""
    match chance.randrange(6):
        case 0:
            return chance.choice(ODD_TEXTS)
        case 1:
            return chance.choice(ODD_NUMBERS)
        case 2:
            return chance.choice((None, True, False, [], {}, [[]], {"": ""}, [None], [1, "a", None]))
        case 3:
            return {chance.choice(ODD_TEXTS): odd_value(chance), "choice": [odd_value(chance)]}
        case 4:
            return chance.choice(([chance.choice(ODD_NUMBERS)] * 3_000, [odd_value(chance), "a"]))
        case _:
            value: Any = chance.choice(ODD_NUMBERS)
            for _ in range(chance.choice((3, 20, 90, 600))):
                value = [value] if chance.random() < 0.5 else {"a": value}
            return value


def mutate_value(value: Any, chance: random.Random) -> Any:
    """Change a parsed JSON document at one to three places."""
    for _ in range(chance.choice((1, 1, 2))):
        value = _mutate_once(value, chance)
    return value


def _mutate_once(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                return {name: one for name, one in value.items() if name != key}
            case 1:
                return value | {chance.choice(ODD_TEXTS): value[key]}
            case 2:
                return value | {key: value[chance.choice(list(value))]}
            case _:
                return value | {key: _mutate_once(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        number = chance.randrange(len(value))
        changed = [_mutate_once(value[number], chance)] if chance.random() < 0.8 else value[number:] * 2
        return [*value[:number], *changed, *value[number + 1 :]]
    return odd_like(value, chance)


def odd_like(value: Any, chance: random.Random) -> Any:
    """Return an odd value, mostly of the same kind, so that it is looked at more closely."""
    if chance.random() < 0.3:
        return odd_value(chance)
    match value:
        case bool():
            return not value
        case int():
            return chance.choice([number for number in ODD_NUMBERS if isinstance(number, int)])
        case float():
            return chance.choice([value * 1e3, -value, *(float(number) for number in ODD_NUMBERS[14:])])
        case str():
            cut = chance.randrange(len(value) + 1)
            return chance.choice((chance.choice(ODD_TEXTS), value[:cut], value[cut:] * 2, value.upper()))
    return odd_value(chance)


def mutate_json(content: bytes, chance: random.Random) -> bytes:
    """Change a JSON text, in its structure or in its bytes."""
    if chance.random() < 0.25:
        return mutate_bytes(content, chance)
    changed = _to_json(mutate_value(json.loads(content), chance))
    if chance.random() < 0.1:
        changed = changed.replace("1", "9" * 5_000, 1)
    return changed.encode("utf-8", "surrogatepass")


def _to_json(value: Any) -> str:
    try:
        return json.dumps(value)
    except (ValueError, RecursionError):  # more digits or levels than the encoder writes
        return "[" * 5_000


def mutate_toml(content: bytes, chance: random.Random) -> bytes:
    """Change a TOML text, line by line or in its bytes."""
    if chance.random() < 0.25:
        return mutate_bytes(content, chance)
    lines = content.decode().splitlines()
    for _ in range(chance.choice((1, 1, 2))):
        number = chance.randrange(len(lines))
        key, equals, value = lines[number].partition("=")
        match chance.randrange(9):
            case 0:
                del lines[number]
            case 1:
                lines.insert(chance.randrange(len(lines)), lines[number])
            case 2:
                lines.insert(number, f"{_odd_key(chance)} = {_to_toml(odd_value(chance))}")
            case 3:
                lines[number] = f"{_odd_key(chance)} {equals} {value}"
            case 4:
                lines.insert(number, f"[{_odd_key(chance)}]")
            case 5:
                lines[number] = re.sub(
                    r"\d+", lambda _: str(chance.choice(ODD_NUMBERS)), lines[number], count=1
                )
            case _ if equals:
                with suppress(ValueError, RecursionError):
                    parsed = tomllib.loads(f"x = {value}")["x"]
                    lines[number] = f"{key} = {_to_toml(odd_like(parsed, chance))}"
        lines = lines or [""]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _odd_key(chance: random.Random) -> str:
    parts = [chance.choice(("a", '""', '"\\u0000"', "source", "steps", "use", "x" * 300, "'é'", "gallery"))]
    return ".".join(parts * chance.choice((1, 1, 2, 15, 17, 3_000)))


def _to_toml(value: Any) -> str:
    try:
        return _format_toml(value)
    except (RecursionError, ValueError):
        return "[" * 5_000


def _format_toml(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case dict():
            pairs = (f"{json.dumps(name)} = {_format_toml(one)}" for name, one in value.items())
            return f"{{ {', '.join(pairs)} }}"
        case list():
            return f"[{', '.join(map(_format_toml, value))}]"
        case int() | float():
            return str(value)
    return json.dumps(value, ensure_ascii=len(value) % 2 == 0)


def mutate_database(file: Path, chance: random.Random) -> None:
    """Change cells, rows, tables or bytes of an SQLite database."""
    if chance.random() < 0.2:
        file.write_bytes(mutate_bytes(file.read_bytes(), chance))
        return
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        for _ in range(chance.randint(1, 2)):
            # What SQLite itself refuses (a text for an INTEGER PRIMARY KEY) is no input.
            with suppress(sqlite3.Error, OverflowError, UnicodeEncodeError):
                _mutate_table(database, chance)


def _mutate_table(database: sqlite3.Connection, chance: random.Random) -> None:
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    table = chance.choice([*tables, *({"candidates"} & {*tables})])
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    column = chance.choice(columns)
    actions: tuple[Callable[[], object], ...] = (
        lambda: database.execute(f"DROP TABLE {table}"),
        lambda: database.execute(f"ALTER TABLE {table} DROP COLUMN {column}"),
        lambda: database.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO odd"),
        lambda: database.execute(f"PRAGMA user_version = {chance.choice((0, 1, 3, -1, 2**31 - 1))}"),
        lambda: database.execute(f"DELETE FROM {table}"),
        lambda: database.execute(
            f"INSERT INTO {table} VALUES ({','.join('?' * len(columns))})", [_cell(chance) for _ in columns]
        ),
        lambda: database.execute("INSERT OR REPLACE INTO facts SELECT name, ? FROM facts", [_cell(chance)]),
    )
    if chance.random() < 0.5:
        database.execute(f"UPDATE {table} SET {column} = ?", [_cell(chance)])
    else:
        chance.choice(actions)()


def _cell(chance: random.Random) -> Any:
    """Return a value of a cell: a number, a text, bytes, or the JSON of an odd value."""
    value = odd_value(chance)
    if isinstance(value, dict | list) or chance.random() < 0.3:
        return _to_json(value)
    return str(value).encode("utf-8", "replace") if chance.random() < 0.1 else value
