"""One publishing at a time into a folder: a lock on the hidden folder it builds in, which dies with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artgen.errors import ArtgenError


@contextmanager
def held(folder: Path, target: Path) -> Iterator[None]:
    """Hold ``folder`` as long as a site is built in it.

    Args:
        folder: exists.
        target: whose site it is, for the message.

    Raises:
        ArtgenError: another process builds there.
    """
    if os.name == "nt":  # its folders cannot be opened, and what another process writes into not removed
        yield
        return
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            found = "another artgen is publishing there"
            raise ArtgenError(str(target), found, "wait for it to end, or stop it") from None
        except OSError:  # a file system that knows no locks, as some network drives
            pass
        yield
    finally:
        os.close(descriptor)
