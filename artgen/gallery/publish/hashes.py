"""Content hashes of files, cached as long as a file's size, times and inode stay the same.

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
FILE_CLOCK_TICK_NS = 2 * 10**9  # ns


class FileHashes:
    """Cached SHA-256 hashes of files.

    Args:
        target: the site; each site has a cache file, which holds the hashes used last.
        memory: folder of the cache files; by default the user's cache folder.
    """

    def __init__(self, target: Path, memory: Path | None = None) -> None:
        name = hashlib.sha256(os.fsencode(os.path.abspath(target))).hexdigest()[:16]
        self._file = (memory or _find_cache_folder()) / "gallery" / f"{name}.json"
        try:
            records = json.loads(self._file.read_bytes())
            self._records: dict[str, list[object]] = records if isinstance(records, dict) else {}
        except (OSError, ValueError, RecursionError):
            self._records = {}
        self._used_records: dict[str, list[object]] = {}

    def hash_file(self, file: Path) -> str:
        """Return the SHA-256 of a site's source file, hexadecimal, from the cache if it is unchanged.

        Raises:
            ArtgenError: it is missing, no regular file, cannot be read, or has a name that is not UTF-8.
        """
        path = os.path.abspath(file)
        try:
            path.encode()
        except UnicodeEncodeError:  # nobody after us, libvips and PyAV among them, could open it
            name = os.fsencode(file).decode("utf-8", "backslashreplace")
            raise ArtgenError(name, "has a name that is not UTF-8", "give it another name") from None
        try:
            stat = os.stat(path)
            file_state = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
            record = self._records.get(path)
            if (
                isinstance(record, list)
                and len(record) == 5
                and record[:4] == file_state
                and isinstance(record[4], str)
            ):
                self._used_records[path] = record
                return record[4]
            if not os.path.isfile(path):
                raise ArtgenError(str(file), "no regular file", "name a picture")
            digest = file_hash(file)
        except FileNotFoundError:
            raise ArtgenError(str(file), "missing", "put it back, or take back its pick") from None
        except OSError as error:
            raise ArtgenError(str(file), f"cannot be read ({error.strerror or error})") from None
        if max(stat.st_mtime_ns, stat.st_ctime_ns) < time.time_ns() - FILE_CLOCK_TICK_NS:
            self._used_records[path] = [*file_state, digest]
        return digest

    def remember(self) -> None:
        """Write the used hashes to the cache; if that fails, the next publishing only reads more files."""
        if self._used_records == self._records:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._file, json.dumps(self._used_records, separators=(",", ":")).encode())
        except (OSError, WriteError):
            pass


def _find_cache_folder() -> Path:
    if sys.platform == "darwin":
        default = "~/Library/Caches"
    elif os.name == "nt":
        default = os.environ.get("LOCALAPPDATA", "~/AppData/Local")
    else:
        default = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.path.expanduser(default)) / "artgen"
