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

from artgen.errors import ArtgenError
from artgen.runs.candidate import FIRST_VARIATION_NUMBER, Candidate, CandidateRow
from artgen.runs.database_errors import DatabaseDamagedError, translate_sqlite_errors
from artgen.runs.history import DecisionAction, DecisionChange

DATABASE_FORMAT_VERSION = 2
CREATE_TABLES_SQL = """
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
# A file from anywhere may hold anything: each query finds rows that artgen would not have written.
INVALID_CANDIDATE_QUERIES = (
    """SELECT candidates.number FROM candidates WHERE
        typeof(number) != 'integer' OR number NOT BETWEEN 1 AND 2147483647
        OR typeof(seed) != 'integer' OR typeof(caption) != 'text'
        OR typeof(seconds) != 'real' OR seconds NOT BETWEEN 0 AND 1e9
        OR typeof(width) != 'integer' OR width NOT BETWEEN 1 AND 1048576
        OR typeof(height) != 'integer' OR height NOT BETWEEN 1 AND 1048576
        OR typeof(variation_of) NOT IN ('integer', 'null')
        OR length(draws) > 100000 OR length(stages) > 100000
        OR length(draws) - length(replace(replace(draws, '{', ''), '[', '')) > 500
        OR NOT json_valid(draws) OR NOT json_valid(stages)
        OR json_type(draws) != 'object' OR json_type(stages) != 'array'""",
    """SELECT candidates.number FROM candidates, json_each(draws) AS draw WHERE draw.type != 'object'""",
    """SELECT candidates.number FROM candidates, json_each(stages) AS stage WHERE
        stage.type != 'array' OR json_array_length(stage.value) != 5
        OR json_type(stage.value, '$[0]') != 'integer'
        OR json_extract(stage.value, '$[0]') NOT BETWEEN 0 AND 999
        OR json_type(stage.value, '$[1]') != 'text' OR json_type(stage.value, '$[2]') != 'text'
        OR json_extract(stage.value, '$[1]') GLOB '*[^a-z0-9_-]*'
        OR json_extract(stage.value, '$[2]') GLOB '*[^a-z0-9_-]*'
        OR json_type(stage.value, '$[3]') != 'integer' OR json_type(stage.value, '$[4]') != 'integer'""",
)
INVALID_ROW_QUERIES = (
    *INVALID_CANDIDATE_QUERIES,
    """SELECT 1 FROM decisions WHERE
        typeof(candidate) != 'integer' OR NOT json_valid(value)
        OR json_type(value) NOT IN ('text', 'integer', 'null')
        OR kind NOT IN ('do', 'undo', 'redo', 'join')
        OR field NOT IN ('mark', 'stars', 'round', 'title', 'alt')
        OR typeof(of) NOT IN ('text', 'null')""",
    """SELECT 1 FROM embeddings WHERE
        typeof(number) != 'integer' OR typeof(vector) != 'blob'
        OR length(vector) % 2 OR length(vector) > 65536""",
    """SELECT 1 FROM embeddings GROUP BY name HAVING min(length(vector)) != max(length(vector))""",
    """SELECT 1 FROM variations WHERE typeof(number) != 'integer' OR typeof(parent) != 'integer'
        OR number <= parent""",
)
TABLES_WITH_TEXTS = ("facts", "candidates", "variations", "decisions")
DATABASE_LOCK_TIMEOUT_SECONDS = 30.0


class RunDatabase:
    """One connection to a run's SQLite database.

    Args:
        file: ``run.db``.
        folder: the run's folder as errors name it; by default that of the file.
        new: create the tables; otherwise a file without them counts as damaged.

    Raises:
        DatabaseDamagedError: the file is missing or damaged, or has an older format.
        ArtgenError: the file was written by a newer artgen, or cannot be opened.
    """

    def __init__(self, file: Path, *, folder: Path | None = None, new: bool = False) -> None:
        self.file, self.folder = file, folder or file.parent
        if not new and not file.is_file():  # SQLite would create it
            raise DatabaseDamagedError(file)
        with translate_sqlite_errors(self.file, self.folder):
            self._connection = sqlite3.connect(
                file, timeout=DATABASE_LOCK_TIMEOUT_SECONDS, isolation_level=None
            )
            try:
                self._check_and_configure(new)
                status = file.stat()
                self._opened_file_id = status.st_dev, status.st_ino
            except BaseException:
                self._connection.close()
                raise

    def _check_and_configure(self, new: bool) -> None:
        """Check the database's format and integrity, make writes durable, create missing tables."""
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if version > DATABASE_FORMAT_VERSION:
            problem = f"written by a newer artgen (format {version}, known up to {DATABASE_FORMAT_VERSION})"
            raise ArtgenError(str(self.file), problem, "update artgen")
        is_sound = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        if not is_sound or (version < DATABASE_FORMAT_VERSION and not new):
            raise DatabaseDamagedError(self.file)
        if not new:
            self._check_rows()
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        if version < DATABASE_FORMAT_VERSION:
            script = f"BEGIN; {CREATE_TABLES_SQL} PRAGMA user_version={DATABASE_FORMAT_VERSION}; COMMIT;"
            self._connection.executescript(script)

    def _check_rows(self) -> None:
        """Raise an error if a row of the database holds what artgen would not have written."""
        try:
            for table in TABLES_WITH_TEXTS:
                for _ in self._connection.execute(f"SELECT * FROM {table}"):
                    pass
        except sqlite3.OperationalError as error:
            if hasattr(error, "sqlite_errorcode"):  # no text is at fault, but perhaps the disk
                raise
            raise DatabaseDamagedError(self.file) from error
        if any(self._connection.execute(f"{query} LIMIT 1").fetchone() for query in INVALID_ROW_QUERIES):
            raise DatabaseDamagedError(self.file)

    def remove_invalid_candidates(self) -> None:
        """Remove the candidates whose rows would count as damage when the database is opened."""
        for query in INVALID_CANDIDATE_QUERIES:  # in order: each relies on what those before it have removed
            self._query(f"DELETE FROM candidates WHERE number IN ({query})")

    def forbid_writing(self) -> None:
        """Make every later write raise ``ReadOnlyError``, as this is a copy of a database."""
        self._connection.execute("PRAGMA query_only=ON")

    def is_replaced(self) -> bool:
        """Return whether the database file was removed or replaced, so that writes here would be lost."""
        try:
            status = self.file.stat()
        except OSError:
            return True
        return (status.st_dev, status.st_ino) != self._opened_file_id

    def close(self) -> None:
        """Close the connection to the database; everything written is on disk already."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all database writes of the ``with`` block together, or none; other writers wait.

        Inside another transaction it is a part of that.
        """
        if self._connection.in_transaction:
            yield
            return
        with translate_sqlite_errors(self.file, self.folder):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def data_version(self) -> int:
        """Return a number that changes when another connection has written to the database."""
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
        """Append an action of the artist to the index of decisions, one row for each change."""
        *columns, changes = action
        placeholders = ",".join("?" * (len(columns) + 3))
        rows = [(*columns, change.candidate, change.field, json.dumps(change.value)) for change in changes]
        with translate_sqlite_errors(self.file, self.folder):
            query = f"INSERT INTO decisions ({DECISION_COLUMNS}) VALUES ({placeholders})"
            self._connection.executemany(query, rows)

    def replace_actions(self, actions: Iterable[DecisionAction]) -> None:
        """Replace the index of decisions by these actions; row ids start at 1 again."""
        self._query("DELETE FROM decisions")
        self._query("DELETE FROM sqlite_sequence WHERE name = 'decisions'")
        for action in actions:
            self.append_action(action)

    def read_actions(self, after_id: int) -> Iterator[tuple[int, DecisionAction]]:
        """Read every action of the artist after row ``after_id``, each with the id of its last row."""
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
        """Write candidates' embeddings as rows of number, name and vector, replacing existing ones."""
        with translate_sqlite_errors(self.file, self.folder):
            self._connection.executemany("INSERT OR REPLACE INTO embeddings VALUES (?,?,?)", rows)

    def read_embeddings(self, embedding_name: str) -> list[tuple[int, bytes]]:
        """Read a run's embeddings of one name: candidate number and vector, sorted by number."""
        query = "SELECT number, vector FROM embeddings WHERE name = ? ORDER BY number"
        return self._query(query, embedding_name)

    def count_embeddings(self, embedding_name: str) -> int:
        """Return how many candidates have an embedding of this name."""
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
        """Run one SQL statement on the run's database and return its rows."""
        with translate_sqlite_errors(self.file, self.folder):
            return self._connection.execute(query, values).fetchall()

    def _query_number(self, query: str, *values: object) -> int:
        """Run one SQL statement on the run's database that returns one number."""
        return int(self._query(query, *values)[0][0])
