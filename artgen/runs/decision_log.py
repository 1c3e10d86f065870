"""The file ``decisions.jsonl``, the record of all decisions: one line of JSON for each action."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from artgen.errors import ArtgenError, report_write_errors
from artgen.imaging.io.files import atomic_write, sync_folder
from artgen.runs.history import KEPT_MARK, UNDECIDED_VALUES, DecisionAction, DecisionChange

DECISIONS_FILE_NAME = "decisions.jsonl"
MAX_RECORDED_NUMBER = 1 << 31  # of a candidate, a star or a round


def append_action(folder: Path, action: DecisionAction) -> None:
    """Append the artist's action to ``decisions.jsonl`` and wait until it is on disk.

    Raises:
        WriteError: the disk is full or the folder not writable.
    """
    line = _encode_action(action)
    file = folder / DECISIONS_FILE_NAME
    with report_write_errors(file):
        with file.open("ab+") as stream:
            is_new = not stream.tell()
            if not is_new and (stream.seek(-1, os.SEEK_END), stream.read(1))[1] != b"\n":
                line = b"\n" + line  # the line before was cut short by a crash
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        if is_new:
            sync_folder(folder)


def rewrite_actions(folder: Path, actions: Iterable[DecisionAction]) -> None:
    """Replace ``decisions.jsonl`` by a file of these ``actions``.

    Raises:
        WriteError: the disk is full or the folder not writable.
    """
    atomic_write(folder / DECISIONS_FILE_NAME, b"".join(map(_encode_action, actions)))


def file_stamp(folder: Path) -> str:
    """Return size and modification time of ``decisions.jsonl`` as text; empty if it is missing.

    Raises:
        ArtgenError: it is a pipe or a device, which would never end.
    """
    file = folder / DECISIONS_FILE_NAME
    try:
        status = file.stat()
    except FileNotFoundError:
        return ""
    if not stat.S_ISREG(status.st_mode) and not file.is_dir():  # writing to a folder fails by itself
        raise ArtgenError(str(file), "not a regular file", "move it away, or put the decisions back")
    return f"{status.st_size} {status.st_mtime_ns}"


def read_actions(folder: Path) -> Iterator[DecisionAction]:
    """Read all actions in ``decisions.jsonl`` in order, each once; damaged lines are skipped."""
    file = folder / DECISIONS_FILE_NAME
    if not file.is_file():
        return
    actions: dict[str, DecisionAction] = {}
    for line_number, line in enumerate(file.read_bytes().splitlines()):
        try:
            action = _decode_action(json.loads(line), line_number)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            continue
        # Older versions wrote an action again if the database had refused it: then the last line counts.
        actions.pop(action.action, None)
        actions[action.action] = action
    yield from actions.values()


def _encode_action(action: DecisionAction) -> bytes:
    """Return the line of an action in ``decisions.jsonl``."""
    return json.dumps(action._asdict()).encode() + b"\n"


def _decode_action(record: dict[str, Any], line_number: int) -> DecisionAction:
    """Return the action that a line of ``decisions.jsonl`` holds.

    Raises:
        ValueError: a value is not valid; ``KeyError`` or ``TypeError``: the line has another shape.
    """
    if record.get("field") == "picked":  # format of the first versions, before stars and rounds
        mark = KEPT_MARK if record["value"] is True else None
        change = DecisionChange(int(record["candidate"]), "mark", mark)
        return DecisionAction(str(record["at"]), "", "", f"{line_number:032x}", "do", None, (change,))
    if record["kind"] not in ("do", "undo", "redo", "join"):
        raise ValueError
    changes = tuple(
        DecisionChange(int(candidate), str(field), value) for candidate, field, value in record["rows"]
    )
    if not all(map(_is_storable, changes)):
        raise ValueError
    at, who, view, action = (str(record[name]) for name in ("at", "who", "view", "action"))
    undone_action = None if record["of"] is None else str(record["of"])
    "".join((at, who, view, action, undone_action or "")).encode()  # half a character is a ValueError
    return DecisionAction(at, who, view, action, record["kind"], undone_action, changes)


def _is_storable(change: DecisionChange) -> bool:
    """Whether a change has a known field, a possible number of a candidate, and a text or a small number."""
    if isinstance(change.value, str):
        change.value.encode()  # half a character is a ValueError
    is_value = isinstance(change.value, str | None) or (
        isinstance(change.value, int) and abs(change.value) < MAX_RECORDED_NUMBER
    )
    return is_value and change.field in UNDECIDED_VALUES and 1 <= change.candidate < MAX_RECORDED_NUMBER
