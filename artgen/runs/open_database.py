"""Opening of a run's database: a missing or damaged one is rebuilt first, a read-only one is copied."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.locks import wait_for_lock
from artgen.runs.database import RunDatabase
from artgen.runs.database_errors import DatabaseDamagedError, ReadOnlyError
from artgen.runs.lookup import DATABASE_FILE_NAME


def open_database(folder: Path) -> RunDatabase:
    """Open the database of a run; a missing or damaged one is rebuilt first.

    Raises:
        ReadOnlyError: the folder can only be read; or its disk has no locks.
        ArtgenError: the folder cannot be read, or a newer artgen wrote the database.
    """
    file = folder / DATABASE_FILE_NAME
    if not os.access(folder, os.W_OK) or (file.exists() and not os.access(file, os.W_OK)):
        raise ReadOnlyError(folder)
    with contextlib.suppress(DatabaseDamagedError):
        return RunDatabase(file)
    with wait_for_lock(folder / f"{DATABASE_FILE_NAME}.lock"):
        with contextlib.suppress(DatabaseDamagedError):
            return RunDatabase(file)  # another process has rebuilt it meanwhile
        from artgen.runs.rebuild import rebuild_database

        rebuild_database(folder)
        return RunDatabase(file)


def open_database_copy(folder: Path, copy_folder: Path) -> RunDatabase:
    """Copy the database of a run that can only be read, and open the copy; a damaged one is rebuilt there.

    Args:
        folder: the run's folder.
        copy_folder: an empty folder for the copy.

    Raises:
        ArtgenError: the folder cannot be read, or a newer artgen wrote the database.
    """
    for name in (DATABASE_FILE_NAME, f"{DATABASE_FILE_NAME}-wal"):
        try:
            shutil.copyfile(folder / name, copy_folder / name)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise ArtgenError(str(folder), f"cannot be read ({error.strerror or error})") from error
    file = copy_folder / DATABASE_FILE_NAME
    with contextlib.suppress(DatabaseDamagedError):
        return RunDatabase(file, folder=folder)
    from artgen.runs.rebuild import rebuild_database

    rebuild_database(folder, file)
    return RunDatabase(file, folder=folder)
