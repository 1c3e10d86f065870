"""Errors of a run's database: SQLite's, told apart by what can be done about them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artgen.errors import ArtgenError, WriteError

DAMAGED_ERROR_CODES = {
    *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB),
    *(sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH),  # a table or column is missing or of another kind
}
# Disks that can only be read, or that have no locks or no shared memory, as some network drives.
READ_ONLY_ERROR_CODES = {
    *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOLFS),
    *(sqlite3.SQLITE_IOERR_LOCK, sqlite3.SQLITE_IOERR_RDLOCK),
    *(sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMLOCK, sqlite3.SQLITE_IOERR_SHMMAP),
}


class DatabaseDamagedError(ArtgenError):
    """A run's database is no usable one; it can be rebuilt from the pictures."""

    def __init__(self, file: Path) -> None:
        expected = "the same command again rebuilds it from the pictures"
        super().__init__(str(file), "the database is damaged", expected)


class DatabaseBusyError(ArtgenError):
    """Another program has locked a run's database for too long."""

    def __init__(self, file: Path) -> None:
        super().__init__(str(file), "another program has locked it", "close that program and try again")


class ReadOnlyError(ArtgenError):
    """A run's folder can only be read; or its disk has no locks, which writing needs."""

    def __init__(self, folder: Path) -> None:
        expected = "copy the run into a folder of yours, and name that folder with --runs"
        super().__init__(str(folder), "can only be read", expected)


@contextmanager
def translate_sqlite_errors(file: Path, folder: Path) -> Iterator[None]:
    """Raise errors of SQLite in the ``with`` block as errors of a run's database."""
    try:
        yield
    except sqlite3.Error as error:
        extended_code = getattr(error, "sqlite_errorcode", 0)
        code = extended_code & 0xFF
        if code in DAMAGED_ERROR_CODES:
            raise DatabaseDamagedError(file) from error
        if code == sqlite3.SQLITE_BUSY:
            raise DatabaseBusyError(file) from error
        if {code, extended_code} & READ_ONLY_ERROR_CODES:
            raise ReadOnlyError(folder) from error
        raise WriteError(file, str(error)) from error
