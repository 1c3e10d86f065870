"""One ``artgen run``, or ``artgen train``, per folder: a lock that dies with its process."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artgen.errors import ArtgenError, WriteError

FILE = "run.lock"
# Seconds between tries: whoever only looks whether it is held holds it for an instant.
PATIENCE = (0.01, 0.03)
# A file system that knows no locks, as some network drives.
LOCKLESS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


class BusyError(ArtgenError):
    """Another process is at work in the folder."""

    def __init__(self, folder: Path) -> None:
        found, right = "another artgen is at work there", "wait for it to end, or stop it"
        super().__init__(str(folder), found, right)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the run, or the training, in ``folder``; its lock file's date tells when it was last run.

    Raises:
        BusyError: another process holds it.
        WriteError: the folder is not writable.
    """
    file = folder / FILE
    try:
        stream = file.open("ab")
        os.utime(file)
    except OSError as error:
        raise WriteError(file, error.strerror or str(error)) from error
    with stream:
        try:
            _take(stream.fileno())
        except OSError as error:
            if error.errno in LOCKLESS:
                yield
                return
            raise BusyError(folder) from error
        yield


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Be the only process that is in here for ``file``, a lock file; others wait.

    Raises:
        WriteError: its folder is not writable.
    """
    try:
        stream = file.open("ab")
    except OSError as error:
        raise WriteError(file, error.strerror or str(error)) from error
    with stream:
        while True:
            try:
                _lock(stream.fileno())
            except OSError as error:
                if error.errno not in LOCKLESS:
                    time.sleep(PATIENCE[-1])
                    continue
            break
        yield


def is_held(folder: Path) -> bool:
    """Whether a run, or a training, is at work in ``folder`` now."""
    try:
        stream = (folder / FILE).open("rb+")
    except OSError:  # never run, or not by who may not write there
        return False
    with stream:
        try:
            _lock(stream.fileno())
        except OSError as error:
            return error.errno not in LOCKLESS
    return False


def _take(descriptor: int) -> None:
    for wait in PATIENCE:
        try:
            _lock(descriptor)
            return
        except OSError as error:
            if error.errno in LOCKLESS:
                raise
            time.sleep(wait)
    _lock(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
