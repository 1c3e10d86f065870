"""The SQLite database of a run: candidates, embeddings, queued variations, an index of the decisions.

A power failure loses nothing that was acknowledged: WAL with ``synchronous=FULL``.
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
from artgen.runs.candidate import FIRST_VARIATION_NUMBER, Candidate, CandidateRow
from artgen.runs.history import DecisionAction, DecisionChange

DATABASE_FORMAT = 2
SCHEMA_SQL = """
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
CANDIDATE_COLUMNS = ", ".join(CandidateRow._fields)
DECISION_COLUMNS = ", ".join((*DecisionAction._fields[:-1], *DecisionChange._fields))
DAMAGED_ERROR_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
BUSY_TIMEOUT_SECONDS = 30.0


class DatabaseDamagedError(ArtgenError):
    """The file is no usable database; it can be rebuilt from the pictures."""

    def __init__(self, file: Path) -> None:
        expected = "the same command again rebuilds it from the pictures"
        super().__init__(str(file), "the database is damaged", expected)


class DatabaseBusyError(ArtgenError):
    """Another program has locked the file for longer than ``BUSY_TIMEOUT_SECONDS``."""

    def __init__(self, file: Path) -> None:
        super().__init__(str(file), "another program has locked it", "close that program and try again")


class RunDatabase:
    """One connection to a run's database.

    Args:
        file: ``run.db``.
        new: create the tables; otherwise a file without them counts as damaged.

    Raises:
        DatabaseDamagedError: the file is missing or damaged, or has an older format.
        ArtgenError: the file was written by a newer artgen, or cannot be opened.
    """

    def __init__(self, file: Path, *, new: bool = False) -> None:
        self.file = file
        if not new and not file.is_file():  # SQLite would create it
            raise DatabaseDamagedError(file)
        with self._translate_errors():
            self._connection = sqlite3.connect(file, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
            try:
                self._check_and_configure(new)
                status = file.stat()
                self._opened_file_id = status.st_dev, status.st_ino
            except BaseException:
                self._connection.close()
                raise

    def _check_and_configure(self, new: bool) -> None:
        """Check format and integrity, make writes durable, and create the tables of a new database."""
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if version > DATABASE_FORMAT:
            problem = f"written by a newer artgen (format {version}, known up to {DATABASE_FORMAT})"
            raise ArtgenError(str(self.file), problem, "update artgen")
        is_sound = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        if not is_sound or (version < DATABASE_FORMAT and not new):
            raise DatabaseDamagedError(self.file)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        if version < DATABASE_FORMAT:
            script = f"BEGIN; {SCHEMA_SQL} PRAGMA user_version={DATABASE_FORMAT}; COMMIT;"
            self._connection.executescript(script)

    def is_replaced(self) -> bool:
        """Return whether the file was removed or replaced, so that anything written here would be lost."""
        try:
            status = self.file.stat()
        except OSError:
            return True
        return (status.st_dev, status.st_ino) != self._opened_file_id

    def close(self) -> None:
        """Close the connection; everything written is on disk already."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all writes of the ``with`` block together, or none; other writers wait meanwhile.

        Inside another transaction it is a part of that.
        """
        if self._connection.in_transaction:
            yield
            return
        with self._translate_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def data_version(self) -> int:
        """Return a number that changes when another connection has written."""
        return self._query_number("PRAGMA data_version")

    def read_rows(self, after_arrival: int = 0) -> list[CandidateRow]:
        """Read the candidates that arrived after ``after_arrival``, sorted by number."""
        query = f"SELECT {CANDIDATE_COLUMNS} FROM candidates WHERE added > ? ORDER BY number"
        return [CandidateRow(*row) for row in self._query(query, after_arrival)]

    def read_row(self, number: int) -> CandidateRow | None:
        """Read the row of one candidate; None if there is no such candidate."""
        rows = self._query(f"SELECT {CANDIDATE_COLUMNS} FROM candidates WHERE number = ?", number)
        return CandidateRow(*rows[0]) if rows else None

    def has_candidate(self, number: int) -> bool:
        """Return whether there is a candidate of this number."""
        return bool(self._query("SELECT 1 FROM candidates WHERE number = ?", number))

    def add_candidate(self, candidate: Candidate) -> None:
        """Insert a candidate or replace the row of the same number, with a new arrival number."""
        row = CandidateRow.from_candidate(candidate)
        placeholders = ",".join("?" * len(row))
        self._query(f"INSERT OR REPLACE INTO candidates ({CANDIDATE_COLUMNS}) VALUES ({placeholders})", *row)

    def remove_candidate(self, number: int) -> None:
        """Delete the row of a candidate, and its embeddings."""
        self._query("DELETE FROM candidates WHERE number = ?", number)
        self._query("DELETE FROM embeddings WHERE number = ?", number)

    def append_action(self, action: DecisionAction) -> None:
        """Append an action to the index of decisions, one row for each change."""
        *columns, changes = action
        placeholders = ",".join("?" * (len(columns) + 3))
        rows = [(*columns, change.candidate, change.field, json.dumps(change.value)) for change in changes]
        with self._translate_errors():
            query = f"INSERT INTO decisions ({DECISION_COLUMNS}) VALUES ({placeholders})"
            self._connection.executemany(query, rows)

    def replace_actions(self, actions: Iterable[DecisionAction]) -> None:
        """Replace all actions by these; row ids start at 1 again, so the same actions get the same ids."""
        self._query("DELETE FROM decisions")
        self._query("DELETE FROM sqlite_sequence WHERE name = 'decisions'")
        for action in actions:
            self.append_action(action)

    def read_actions(self, after_id: int) -> Iterator[tuple[int, DecisionAction]]:
        """Read every action after row ``after_id``, in order, each with the id of its last row."""
        rows = self._query(f"SELECT id, {DECISION_COLUMNS} FROM decisions WHERE id > ? ORDER BY id", after_id)
        for columns, group_rows in groupby(rows, key=lambda row: row[1:7]):
            action_rows = list(group_rows)
            changes = tuple(DecisionChange(row[7], row[8], json.loads(row[9])) for row in action_rows)
            yield action_rows[-1][0], DecisionAction._make((*columns, changes))

    def read_cursor(self) -> tuple[int, int]:
        """Read the highest row id of a decision, and the highest arrival number of a candidate."""
        query = "SELECT coalesce((SELECT max(id) FROM decisions), 0), coalesce(max(added), 0) FROM candidates"
        last_decision_id, last_arrival = self._query(query)[0]
        return last_decision_id, last_arrival

    def write_embeddings(self, rows: Iterable[tuple[int, str, bytes]]) -> None:
        """Write embeddings as rows of number, name and vector; existing ones are replaced."""
        with self._translate_errors():
            self._connection.executemany("INSERT OR REPLACE INTO embeddings VALUES (?,?,?)", rows)

    def read_embeddings(self, embedding_name: str) -> list[tuple[int, bytes]]:
        """Read number and vector of every embedding of this name, sorted by number."""
        query = "SELECT number, vector FROM embeddings WHERE name = ? ORDER BY number"
        return self._query(query, embedding_name)

    def count_embeddings(self, embedding_name: str) -> int:
        """Return the number of embeddings of this name."""
        return self._query_number("SELECT count(*) FROM embeddings WHERE name = ?", embedding_name)

    def list_candidates_without_embedding(self, embedding_name: str) -> list[int]:
        """List the numbers of the candidates without an embedding of this name."""
        embedded_numbers = "SELECT number FROM embeddings WHERE name = ?"
        query = f"SELECT number FROM candidates WHERE number NOT IN ({embedded_numbers}) ORDER BY number"
        return [number for (number,) in self._query(query, embedding_name)]

    def next_variation_number(self) -> int:
        """Return the number for the next variation to be queued."""
        max_query = "SELECT max(number) AS n FROM"
        union_query = f"{max_query} candidates UNION ALL {max_query} variations"
        query = f"SELECT max(?, coalesce(max(n) + 1, 0)) FROM ({union_query})"
        return self._query_number(query, FIRST_VARIATION_NUMBER)

    def queue_variation(self, number: int, parent: int, timestamp: str) -> None:
        """Add a variation to the queue of those that are still to be generated."""
        self._query("INSERT INTO variations VALUES (?,?,?)", number, parent, timestamp)

    def read_parents(self) -> dict[int, int]:
        """Read the parent of each variation, generated or queued, by number of the variation."""
        candidates_query = "SELECT number, variation_of FROM candidates WHERE variation_of IS NOT NULL"
        return dict(self._query(f"SELECT number, parent FROM variations UNION {candidates_query} ORDER BY 1"))

    def unqueue_variation(self, number: int) -> None:
        """Remove a variation from the queue of those that are still to be generated."""
        self._query("DELETE FROM variations WHERE number = ?", number)

    def list_queued_variations(self) -> list[tuple[int, int]]:
        """List number and parent of the variations that are queued and not generated, sorted by number."""
        query = "SELECT number, parent FROM variations WHERE number NOT IN (SELECT number FROM candidates)"
        return self._query(f"{query} ORDER BY number")

    def read_fact(self, name: str) -> str | None:
        """Read a stored fact about the run; None if it is not stored."""
        rows = self._query("SELECT value FROM facts WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def write_fact(self, name: str, value: str) -> None:
        """Store a fact about the run under a name, in place of the fact stored there."""
        self._query("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)

    def _query(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one SQL statement and return its rows."""
        with self._translate_errors():
            return self._connection.execute(query, values).fetchall()

    def _query_number(self, query: str, *values: object) -> int:
        """Run one SQL statement that returns one number."""
        return int(self._query(query, *values)[0][0])

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise errors of SQLite inside the ``with`` block as errors of artgen."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in DAMAGED_ERROR_CODES:
                raise DatabaseDamagedError(self.file) from error
            if code == sqlite3.SQLITE_BUSY:
                raise DatabaseBusyError(self.file) from error
            raise WriteError(self.file, str(error)) from error
