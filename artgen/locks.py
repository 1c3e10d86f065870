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

from artgen.errors import ArtgenError, WriteError

LOCK_FILE = "run.lock"
# Seconds after each try: a process that only looks whether the lock is held holds it for an instant.
PATIENCE = (0.01, 0.03, 0.0)
# Another process holds it. Any other error is that of a file system without locks, as some network drives.
BUSY = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}


class BusyError(ArtgenError):
    """Another process is at work in the folder."""

    def __init__(self, folder: Path, doing: str = "at work") -> None:
        found, right = f"another artgen is {doing} there", "wait for it to end, or stop it"
        super().__init__(str(folder), found, right)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the run, or the training, in ``folder``; its lock file's date tells when it was last run.

    Raises:
        BusyError: another process holds it.
        WriteError: the folder is not writable.
    """
    file = folder / LOCK_FILE
    with _opened(file) as stream:
        try:
            os.utime(file)
        except OSError as error:
            raise WriteError(file, error.strerror or str(error)) from error
        for seconds in PATIENCE:
            if _locked(stream.fileno()):
                break
            time.sleep(seconds)
        else:
            raise BusyError(folder)
        yield


@contextmanager
def held_without_file(folder: Path, target: Path) -> Iterator[None]:
    """Hold ``folder`` itself as long as a site is built in it: a lock file would be published with it.

    Args:
        folder: where the site is built; one that is missing is not locked.
        target: whose site it is, for the message.

    Raises:
        BusyError: another process builds there.
    """
    if (
        sys.platform == "win32"
    ):  # its folders cannot be opened, and what another process writes into not removed
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        yield
        return
    try:
        if not _locked(descriptor):
            raise BusyError(target, "publishing")
        yield
    finally:
        os.close(descriptor)


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Be the only process that is in here for ``file``, a lock file; others wait.

    Raises:
        WriteError: its folder is not writable.
    """
    with _opened(file) as stream:
        while not _locked(stream.fileno()):
            time.sleep(PATIENCE[1])
        yield


def is_held(folder: Path) -> bool:
    """Return whether a run, or a training, is at work in ``folder`` now."""
    try:
        stream = (folder / LOCK_FILE).open("rb+")
    except OSError:  # never run, or not by who may not write there
        return False
    with stream:
        return not _locked(stream.fileno())


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("ab")
    except OSError as error:
        raise WriteError(file, error.strerror or str(error)) from error


def _locked(descriptor: int) -> bool:
    """Try to take the lock; False where another process holds it."""
    try:
        _lock(descriptor)
    except OSError as error:
        return error.errno not in BUSY
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
