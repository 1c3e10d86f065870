"""A second copy of every decision, as lines of JSON, so that no damaged database can lose one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from artgen.imaging.files import WriteError

FILE = "decisions.jsonl"


def append(folder: Path, at: str, candidate: int, field: str, value: object) -> None:
    """Add a line and wait until it is on disk.

    Raises:
        WriteError: the disk is full or the folder not writable.
    """
    line = json.dumps({"at": at, "candidate": candidate, "field": field, "value": value}) + "\n"
    file = folder / FILE
    try:
        with file.open("ab+") as stream:
            if stream.tell() and (stream.seek(-1, os.SEEK_END), stream.read(1))[1] != b"\n":
                line = "\n" + line  # the line before was cut short by a crash
            stream.write(line.encode())
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise WriteError(file, error.strerror or str(error)) from error


def replay(folder: Path) -> Iterator[tuple[str, int, str, object]]:
    """Every decision in order: time, candidate, field, value. Damaged lines are passed over."""
    file = folder / FILE
    if not file.is_file():
        return
    for line in file.read_bytes().splitlines():
        try:
            row = json.loads(line)
            yield str(row["at"]), int(row["candidate"]), str(row["field"]), row["value"]
        except (ValueError, KeyError, TypeError):
            continue
