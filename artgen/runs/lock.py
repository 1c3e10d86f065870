"""One ``artgen run``, or ``artgen train``, per folder: a lock that dies with its process."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.imaging.files import WriteError

FILE = "run.lock"
# A file system that knows no locks, as some network drives.
LOCKLESS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the run, or the training, in ``folder``; its lock file's date tells when it was last run.

    Raises:
        ArtgenError: another process holds it.
    """
    file = folder / FILE
    try:
        stream = file.open("ab")
        os.utime(file)
    except OSError as error:
        raise WriteError(file, error.strerror or str(error)) from error
    with stream:
        try:
            _lock(stream.fileno())
        except OSError as error:
            if error.errno in LOCKLESS:
                yield
                return
            found = "another artgen is at work there"
            raise ArtgenError(str(folder), found, "wait for it to end, or stop it") from error
        yield


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
