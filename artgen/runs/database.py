"""The SQLite file of a run: candidates as rows, and an index of the decisions.

A lost power supply loses nothing that was acknowledged: WAL with ``synchronous=FULL``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from artgen.errors import ArtgenError, WriteError
from artgen.runs.candidate import FIRST_VARIATION, Candidate
from artgen.runs.history import Action, Change
from artgen.runs.row import Row

FORMAT = 2
TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS candidates (
    added INTEGER PRIMARY KEY AUTOINCREMENT, number INTEGER NOT NULL UNIQUE, seed INTEGER NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, caption TEXT NOT NULL, draws TEXT NOT NULL,
    stages TEXT NOT NULL, seconds REAL NOT NULL, variation_of INTEGER
);
CREATE TABLE IF NOT EXISTS embeddings (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, vector BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS variations (number INTEGER PRIMARY KEY, parent INTEGER NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, view TEXT NOT NULL,
    action TEXT NOT NULL, kind TEXT NOT NULL, of TEXT,
    candidate INTEGER NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL
);
"""
COLUMNS = ", ".join(Row._fields)
DECIDED = ", ".join((*Action._fields[:-1], *Change._fields))
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
BUSY_SECONDS = 30.0


class DamagedError(ArtgenError):
    """The file is no usable database; what it held can be rebuilt from the pictures."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            str(file), "the database is damaged", "the same command again rebuilds it from the pictures"
        )


class HeldError(ArtgenError):
    """Another program keeps the file to itself for longer than is waited."""

    def __init__(self, file: Path) -> None:
        super().__init__(str(file), "another program holds it", "close that and try again")


class Database:
    """One connection to a run's database.

    Args:
        file: ``run.db``.
        new: create it; otherwise a file without our tables is a damaged one.

    Raises:
        DamagedError: the file is not a sound database, or one of an older format.
        ArtgenError: it was written by a newer artgen, or cannot be opened.
    """

    def __init__(self, file: Path, *, new: bool = False) -> None:
        self.file = file
        with self._explained():
            self._connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                self._prepare(new)
                opened = file.stat()
                self._opened = opened.st_dev, opened.st_ino
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self, new: bool) -> None:
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if version > FORMAT:
            found = f"written by a newer artgen (format {version}, known up to {FORMAT})"
            raise ArtgenError(str(self.file), found, "update artgen")
        sound = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        if not sound or (version < FORMAT and not new):
            raise DamagedError(self.file)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        if version < FORMAT:
            self._connection.executescript(f"BEGIN; {TABLES} PRAGMA user_version={FORMAT}; COMMIT;")

    def replaced(self) -> bool:
        """Whether the file is gone, or another one has its name: what is written here would be lost."""
        try:
            now = self.file.stat()
        except OSError:
            return True
        return (now.st_dev, now.st_ino) != self._opened

    def close(self) -> None:
        """Close the connection; what was written is on disk already."""
        self._connection.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write everything done inside at once, or nothing of it; other writers wait until then.

        Inside of another one it is a part of that.
        """
        if self._connection.in_transaction:
            yield
            return
        with self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def version(self) -> int:
        """A number that changes when another connection has written."""
        return int(self._rows("PRAGMA data_version")[0][0])

    def rows(self, since: int = 0) -> list[Row]:
        """Every candidate that was added after ``since``, by number."""
        query = f"SELECT {COLUMNS} FROM candidates WHERE added > ? ORDER BY number"
        return [Row(*row) for row in self._rows(query, since)]

    def row(self, number: int) -> Row | None:
        """One candidate, if it is there."""
        rows = self._rows(f"SELECT {COLUMNS} FROM candidates WHERE number = ?", number)
        return Row(*rows[0]) if rows else None

    def has(self, index: int) -> bool:
        """Whether there is such a candidate."""
        return bool(self._rows("SELECT 1 FROM candidates WHERE number = ?", index))

    def add(self, candidate: Candidate) -> None:
        """Insert a candidate, or replace the row of the same number; either way it arrives now."""
        row = Row.of(candidate)
        marks = ",".join("?" * len(row))
        self._rows(f"INSERT OR REPLACE INTO candidates ({COLUMNS}) VALUES ({marks})", *row)

    def remove(self, index: int) -> None:
        """Forget a candidate whose picture is gone, and what was computed from it."""
        self._rows("DELETE FROM candidates WHERE number = ?", index)
        self._rows("DELETE FROM embeddings WHERE number = ?", index)

    def write(self, action: Action) -> None:
        """Append an action."""
        *head, changes = action
        marks = ",".join("?" * (len(head) + 3))
        rows = [(*head, change.candidate, change.field, json.dumps(change.value)) for change in changes]
        with self._explained():
            self._connection.executemany(f"INSERT INTO decisions ({DECIDED}) VALUES ({marks})", rows)

    def rewrite(self, actions: Iterable[Action]) -> None:
        """Replace all actions by these; ids begin again at 1, so the same actions have the same ids."""
        self._rows("DELETE FROM decisions")
        self._rows("DELETE FROM sqlite_sequence WHERE name = 'decisions'")
        for action in actions:
            self.write(action)

    def actions(self, since: int) -> Iterator[tuple[int, Action]]:
        """Every action after row ``since``, in order, each with the id of its last row."""
        rows = self._rows(f"SELECT id, {DECIDED} FROM decisions WHERE id > ? ORDER BY id", since)
        for head, group in groupby(rows, key=lambda row: row[1:7]):
            listed = list(group)
            changes = tuple(Change(row[7], row[8], json.loads(row[9])) for row in listed)
            yield listed[-1][0], Action._make((*head, changes))

    def cursor(self) -> tuple[int, int]:
        """The highest id of a decision, and the highest arrival of a candidate."""
        query = "SELECT coalesce((SELECT max(id) FROM decisions), 0), coalesce(max(added), 0) FROM candidates"
        decided, added = self._rows(query)[0]
        return decided, added

    def embed(self, rows: Iterable[tuple[int, str, bytes]]) -> None:
        """Keep embeddings: number, name, vector; one that is there is replaced."""
        with self._explained():
            self._connection.executemany("INSERT OR REPLACE INTO embeddings VALUES (?,?,?)", rows)

    def embeddings(self, name: str) -> list[tuple[int, bytes]]:
        """Number and vector of every embedding of that name, by number."""
        return self._rows("SELECT number, vector FROM embeddings WHERE name = ? ORDER BY number", name)

    def embedded(self, name: str) -> int:
        """How many embeddings of that name there are."""
        return int(self._rows("SELECT count(*) FROM embeddings WHERE name = ?", name)[0][0])

    def lacking(self, name: str) -> list[int]:
        """Numbers of the candidates without an embedding of that name."""
        having = "SELECT number FROM embeddings WHERE name = ?"
        query = f"SELECT number FROM candidates WHERE number NOT IN ({having}) ORDER BY number"
        return [number for (number,) in self._rows(query, name)]

    def next_variation(self) -> int:
        """The number of the next variation that is asked for."""
        highest = "SELECT max(number) AS n FROM {0}"
        both = f"{highest.format('candidates')} UNION ALL {highest.format('variations')}"
        return int(self._rows(f"SELECT max(?, coalesce(max(n) + 1, 0)) FROM ({both})", FIRST_VARIATION)[0][0])

    def queue(self, number: int, parent: int, at: str) -> None:
        """Ask for a variation."""
        self._rows("INSERT INTO variations VALUES (?,?,?)", number, parent, at)

    def parents(self) -> dict[int, int]:
        """The parent of each variation that is made or asked for, by number."""
        made = "SELECT number, variation_of FROM candidates WHERE variation_of IS NOT NULL"
        return dict(self._rows(f"SELECT number, parent FROM variations UNION {made} ORDER BY 1"))

    def unqueue(self, number: int) -> None:
        """Ask for a variation no more."""
        self._rows("DELETE FROM variations WHERE number = ?", number)

    def queued(self) -> list[tuple[int, int]]:
        """Number and parent of the variations that are not made yet, by number."""
        query = "SELECT number, parent FROM variations WHERE number NOT IN (SELECT number FROM candidates)"
        return self._rows(f"{query} ORDER BY number")

    def fact(self, name: str) -> str | None:
        """A remembered fact about the run."""
        rows = self._rows("SELECT value FROM facts WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def remember(self, name: str, value: str) -> None:
        """Set a fact about the run."""
        self._rows("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._explained():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in DAMAGED:
                raise DamagedError(self.file) from error
            if code == sqlite3.SQLITE_BUSY:
                raise HeldError(self.file) from error
            raise WriteError(self.file, str(error)) from error
