"""The SQLite file of a run: candidates as rows, decisions as an append-only table.

A lost power supply loses nothing that was acknowledged: WAL with ``synchronous=FULL``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.imaging.files import WriteError
from artgen.runs.candidate import Candidate, Stage, png_file, stage_file, thumbnail_file

FORMAT = 1
TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS candidates (
    number INTEGER PRIMARY KEY, seed INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
    caption TEXT NOT NULL, draws TEXT NOT NULL, stages TEXT NOT NULL, seconds REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS decisions (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, candidate INTEGER NOT NULL,
    field TEXT NOT NULL, value TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS latest ON decisions (field, candidate, id);
"""
COLUMNS = "number, seed, width, height, caption, draws, stages, seconds"
PICKED = "picked"
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
BUSY_SECONDS = 30.0


class DamagedError(ArtgenError):
    """The file is no usable database; what it held can be rebuilt from the pictures."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            str(file), "the database is damaged", "the same command again rebuilds it from the pictures"
        )


class Database:
    """One connection to a run's database.

    Args:
        file: ``run.db``.
        new: create it; otherwise a file without our tables is a damaged one.

    Raises:
        DamagedError: the file is not a sound database.
        ArtgenError: it was written by a newer artgen, or cannot be opened.
    """

    def __init__(self, file: Path, *, new: bool = False) -> None:
        self.file = file
        with self._explained():
            self._connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                self._prepare(new)
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self, new: bool) -> None:
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if version > FORMAT:
            found = f"written by a newer artgen (format {version}, known up to {FORMAT})"
            raise ArtgenError(str(self.file), found, "update artgen")
        sound = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        if not sound or (version == 0 and not new):
            raise DamagedError(self.file)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        if version < FORMAT:
            self._connection.executescript(f"BEGIN; {TABLES} PRAGMA user_version={FORMAT}; COMMIT;")

    def close(self) -> None:
        """Close the connection; what was written is on disk already."""
        self._connection.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Everything done inside is written at once, or not at all."""
        with self._explained():
            self._connection.execute("BEGIN")
            yield
            self._connection.execute("COMMIT")

    def candidates(self, folder: Path, only: int | None = None) -> list[Candidate]:
        """Every candidate of the run in ``folder``, by number; or only that of one number, if it is there."""
        picked = set(self.picked(only))
        query = f"SELECT {COLUMNS} FROM candidates WHERE ? IS NULL OR number = ? ORDER BY number"
        with self._explained():
            rows = self._connection.execute(query, (only, only)).fetchall()
        return [_candidate(row, folder, row[0] in picked) for row in rows]

    def add(self, candidate: Candidate) -> None:
        """Insert a candidate, or replace the row of the same number."""
        stages = [
            [int(stage.preview.name.split("-")[1]), stage.step, stage.use, stage.width, stage.height]
            for stage in candidate.stages
        ]
        row = (
            *(candidate.index, candidate.seed, candidate.width, candidate.height, candidate.caption),
            *(json.dumps(candidate.draws), json.dumps(stages), candidate.seconds),
        )
        with self._explained():
            self._connection.execute(
                f"INSERT OR REPLACE INTO candidates ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?)", row
            )

    def remove(self, index: int) -> None:
        """Forget a candidate whose picture is gone."""
        with self._explained():
            self._connection.execute("DELETE FROM candidates WHERE number = ?", (index,))

    def decide(self, index: int, field: str, value: object, at: str | None = None) -> None:
        """Append a decision about a candidate; the latest of a field counts."""
        row = (at or now(), index, field, json.dumps(value))
        with self._explained():
            self._connection.execute(
                "INSERT INTO decisions (at, candidate, field, value) VALUES (?,?,?,?)", row
            )

    def picked(self, only: int | None = None) -> list[int]:
        """Numbers of the candidates (or of only that one) whose latest decision is a pick."""
        query = (
            "SELECT candidate FROM decisions WHERE id IN (SELECT max(id) FROM decisions WHERE field = ? "
            "AND (? IS NULL OR candidate = ?) GROUP BY candidate) AND value = 'true' ORDER BY candidate"
        )
        with self._explained():
            return [row[0] for row in self._connection.execute(query, (PICKED, only, only))]

    def fact(self, name: str) -> str | None:
        """A remembered fact about the run."""
        with self._explained():
            row = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def remember(self, name: str, value: str) -> None:
        """Set a fact about the run."""
        with self._explained():
            self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in DAMAGED:
                raise DamagedError(self.file) from error
            if code == sqlite3.SQLITE_BUSY:
                raise ArtgenError(
                    str(self.file), "another program holds it", "close that and try again"
                ) from error
            raise WriteError(self.file, str(error)) from error


def now() -> str:
    """The time as decisions record it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _candidate(row: tuple[int, int, int, int, str, str, str, float], folder: Path, picked: bool) -> Candidate:
    index, seed, width, height, caption, draws, stages, seconds = row
    return Candidate(
        index=index,
        seed=seed,
        file=png_file(folder, index),
        thumbnail=thumbnail_file(folder, index),
        width=width,
        height=height,
        caption=caption,
        draws=json.loads(draws),
        stages=tuple(
            Stage(step, use, w, h, stage_file(folder, index, number, step))
            for number, step, use, w, h in json.loads(stages)
        ),
        seconds=seconds,
        picked=picked,
    )
