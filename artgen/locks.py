"""Locks on folders and files: one process at a time, and a lock dies with its process."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from artgen.errors import ArtgenError, report_write_errors

LOCK_FILE_NAME = "run.lock"
# Waits after each try: a process that only checks whether the lock is held holds it for an instant.
LOCK_RETRY_SECONDS = (0.01, 0.03, 0.0)
# Errors while another process holds the lock; others come from file systems without locks (network drives).
LOCK_HELD_ERRNOS = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}


class BusyError(ArtgenError):
    """Error: another process is working in the folder of a run, a training or a site."""

    def __init__(self, folder: Path, activity: str = "at work") -> None:
        problem, expected = f"another artgen is {activity} there", "wait for it to end, or stop it"
        super().__init__(str(folder), problem, expected)


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's or training's folder; its lock file's date tells when it was last used.

    Raises:
        BusyError: another process holds the lock.
        WriteError: the folder is not writable.
    """
    file = folder / LOCK_FILE_NAME
    with _open_lock_file(file) as stream:
        with report_write_errors(file):
            os.utime(file)
        for seconds in LOCK_RETRY_SECONDS:
            if _try_lock(stream.fileno()):
                break
            time.sleep(seconds)
        else:
            raise BusyError(folder)
        yield


@contextmanager
def lock_site_folder(folder: Path, target: Path) -> Iterator[None]:
    """Lock ``folder`` itself while a site is built in it: a lock file would be published with the site.

    Args:
        folder: where the site is built; if it does not exist, nothing is locked.
        target: the site's own folder, named by the error.

    Raises:
        BusyError: another process builds there.
    """
    # Windows cannot open folders, and does not remove one that another process writes into.
    if sys.platform == "win32":
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        yield
        return
    try:
        if not _try_lock(descriptor):
            raise BusyError(target, "publishing")
        yield
    finally:
        os.close(descriptor)


@contextmanager
def wait_for_lock(file: Path) -> Iterator[None]:
    """Hold the lock file ``file``; wait as long as another process holds it.

    Raises:
        WriteError: the folder of ``file`` is not writable.
    """
    with _open_lock_file(file) as stream:
        while not _try_lock(stream.fileno()):
            time.sleep(LOCK_RETRY_SECONDS[1])
        yield


def is_folder_locked(folder: Path) -> bool:
    """Return whether a process is working on the run or the training in ``folder``."""
    try:
        stream = (folder / LOCK_FILE_NAME).open("rb+")
    except OSError:  # never locked, or by a user who may not write here
        return False
    with stream:
        return not _try_lock(stream.fileno())


def _open_lock_file(file: Path) -> BinaryIO:
    with report_write_errors(file):
        return file.open("ab")


def _try_lock(descriptor: int) -> bool:
    """Try to take a lock file's lock; return False if another process holds it."""
    try:
        _lock_descriptor(descriptor)
    except OSError as error:
        return error.errno not in LOCK_HELD_ERRNOS
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock_descriptor(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock_descriptor(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
