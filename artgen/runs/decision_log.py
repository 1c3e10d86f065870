"""``decisions.jsonl``: one line of JSON for each action, the truth about what was decided."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from artgen.errors import WriteError
from artgen.imaging.io.files import atomic_write, sync_folder
from artgen.runs.history import KEPT, UNDECIDED, Action, Change

FILE = "decisions.jsonl"


def append(folder: Path, action: Action) -> None:
    """Add a line for an action and wait until it is on disk.

    Raises:
        WriteError: the disk is full or the folder not writable.
    """
    line = _line(action)
    file = folder / FILE
    try:
        with file.open("ab+") as stream:
            new = not stream.tell()
            if not new and (stream.seek(-1, os.SEEK_END), stream.read(1))[1] != b"\n":
                line = b"\n" + line  # the line before was cut short by a crash
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        if new:
            sync_folder(folder)
    except OSError as error:
        raise WriteError(file, error.strerror or str(error)) from error


def rewrite(folder: Path, actions: Iterable[Action]) -> None:
    """Replace the file by one that holds ``actions``.

    Raises:
        WriteError: the disk is full or the folder not writable.
    """
    atomic_write(folder / FILE, b"".join(map(_line, actions)))


def stamp(folder: Path) -> str:
    """Return the size of the file and the time of its last change; empty if it is missing."""
    try:
        status = (folder / FILE).stat()
    except FileNotFoundError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def replay(folder: Path) -> Iterator[Action]:
    """Read every action in order, each once. Damaged lines are skipped."""
    file = folder / FILE
    if not file.is_file():
        return
    actions: dict[str, Action] = {}
    for number, line in enumerate(file.read_bytes().splitlines()):
        try:
            action = _action(json.loads(line), number)
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        # Older versions wrote it again when the database had refused it: then it was done the last time.
        actions.pop(action.action, None)
        actions[action.action] = action
    yield from actions.values()


def _line(action: Action) -> bytes:
    return json.dumps(action._asdict()).encode() + b"\n"


def _action(row: dict[str, Any], number: int) -> Action:
    if row.get("field") == "picked":  # how decisions were written before they had stars and rounds
        mark = KEPT if row["value"] is True else None
        change = Change(int(row["candidate"]), "mark", mark)
        return Action(str(row["at"]), "", "", f"{number:032x}", "do", None, (change,))
    if row["kind"] not in ("do", "undo", "redo", "join"):
        raise ValueError
    rows = tuple(Change(int(candidate), str(field), value) for candidate, field, value in row["rows"])
    if not all(change.field in UNDECIDED and isinstance(change.value, str | int | None) for change in rows):
        raise ValueError
    at, who, view, action = (str(row[name]) for name in ("at", "who", "view", "action"))
    return Action(at, who, view, action, row["kind"], row["of"], rows)
