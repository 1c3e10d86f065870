"""Content hashes of many files, remembered as long as nothing about a file has changed.

The time of the last change alone would not do: a checkout sets it anew for files that are the same, and
a copy may keep it for one that is not. So what decides is the content; size, both times and inode only
tell whether it must be read again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from pathlib import Path

from artgen.errors import ArtgenError, WriteError
from artgen.hashing import file_hash
from artgen.imaging.io.files import atomic_write

# A file that was changed a moment ago can change again within the same tick of the clock that its file
# system keeps (two seconds on FAT), so it is not remembered yet.
TICK = 2 * 10**9  # ns


class Hashes:
    """SHA-256 of files by content.

    Args:
        target: the site that they are for; each has its own memory, which keeps what was asked last.
        memory: where memories are kept; by default the user's cache folder.
    """

    def __init__(self, target: Path, memory: Path | None = None) -> None:
        name = hashlib.sha256(os.fsencode(os.path.abspath(target))).hexdigest()[:16]
        self._file = (memory or _cache()) / "gallery" / f"{name}.json"
        try:
            known = json.loads(self._file.read_bytes())
            self._known: dict[str, list[object]] = known if isinstance(known, dict) else {}
        except (OSError, ValueError, RecursionError):
            self._known = {}
        self._asked: dict[str, list[object]] = {}

    def of(self, file: Path) -> str:
        """Return the hash of a file, hexadecimal.

        Raises:
            ArtgenError: it is missing, no regular file, cannot be read, or has a name that is not UTF-8.
        """
        path = os.path.abspath(file)
        try:
            path.encode()
        except UnicodeEncodeError:  # nobody after us, libvips and PyAV among them, could open it
            where = os.fsencode(file).decode("utf-8", "backslashreplace")
            raise ArtgenError(where, "has a name that is not UTF-8", "give it another name") from None
        try:
            stat = os.stat(path)
            state = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
            known = self._known.get(path)
            if (
                isinstance(known, list)
                and len(known) == 5
                and known[:4] == state
                and isinstance(known[4], str)
            ):
                self._asked[path] = known
                return known[4]
            if not os.path.isfile(path):
                raise ArtgenError(str(file), "no regular file", "name a picture")
            digest = file_hash(file)
        except FileNotFoundError:
            raise ArtgenError(str(file), "missing", "put it back, or take back its pick") from None
        except OSError as error:
            raise ArtgenError(str(file), f"cannot be read ({error.strerror or error})") from None
        if max(stat.st_mtime_ns, stat.st_ctime_ns) < time.time_ns() - TICK:
            self._asked[path] = [*state, digest]
        return digest

    def remember(self) -> None:
        """Keep what was asked. A memory that cannot be written costs the next publishing some reading."""
        if self._asked == self._known:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._file, json.dumps(self._asked, separators=(",", ":")).encode())
        except (OSError, WriteError):
            pass


def _cache() -> Path:
    if sys.platform == "darwin":
        default = "~/Library/Caches"
    elif os.name == "nt":
        default = os.environ.get("LOCALAPPDATA", "~/AppData/Local")
    else:
        default = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.path.expanduser(default)) / "artgen"
