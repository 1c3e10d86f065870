"""What changed on disk, seen by looking again: for ``artgen preview``.

Not by the system's own notices, which differ between systems. Looking at a thousand files takes a few
milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import stat
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

EVERY = 0.3  # seconds between two looks, or
RESTS = 15  # times as long as a look took: the machine has other work
TILES = "_files"  # folders of deep zoom's tiles: thousands, and never changed by themselves

Rebuild = Callable[[], subprocess.Popen[bytes]]
"""Starts building the site anew, in a process of its own."""


def stamp(paths: Iterable[Path]) -> str:
    """Return a text that changes whenever a file of ``paths``, or in a folder of them, does."""
    seen = hashlib.sha256()
    for path in paths:
        for line in sorted(_seen(os.path.realpath(path))):
            seen.update(line.encode("utf-8", "surrogateescape"))
    return seen.hexdigest()[:24]


def _seen(path: str) -> Iterator[str]:
    try:
        it = os.lstat(path)
    except OSError:
        return
    if not stat.S_ISDIR(it.st_mode):  # a link is looked at, not followed: it may lead in a circle
        yield f"{path}\0{it.st_ino} {it.st_size} {it.st_mtime_ns}\n"
        return
    yield f"{path}\0{it.st_mtime_ns if path.endswith(TILES) else ''}\n"
    if path.endswith(TILES) or os.path.basename(path) == ".git":
        return
    with contextlib.suppress(OSError), os.scandir(path) as entries:
        for entry in entries:
            yield from _seen(entry.path)


class Watcher:
    """Looks at a site and at what it is made from, until it is stopped.

    Args:
        site: the site's folder.
        sources: files and folders; when one changes the site is built again.
        rebuild: builds it; None if nobody asked for that.
    """

    def __init__(self, site: Path, sources: Iterable[Path] = (), rebuild: Rebuild | None = None) -> None:
        self._site, self._sources, self._rebuild = site, tuple(sources), rebuild
        self.version = stamp([site])
        self._news = asyncio.Event()
        self.stopped = False

    async def changed(self, seconds: float) -> None:
        """Return when the site has another version, the watcher was stopped, or so long has passed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)

    def stop(self) -> None:
        """Let ``watch`` and everyone who waits return."""
        self.stopped = True
        self._tell()

    async def watch(self) -> None:
        """Look until stopped. What is still changing is waited for: it has to look alike twice."""
        site, sources = self.version, stamp(self._sources)
        building: subprocess.Popen[bytes] | None = None
        took = 0.0
        try:
            while not self.stopped:
                await asyncio.sleep(max(EVERY, RESTS * took))
                begun = time.monotonic()
                site_before, site = site, await asyncio.to_thread(stamp, [self._site])
                if site == site_before != self.version and self._site.is_dir():
                    self.version = site
                    self._tell()
                if building is not None and building.poll() is not None:
                    building = None
                if self._rebuild is not None and building is None:
                    now = await asyncio.to_thread(stamp, self._sources)
                    if now != sources:
                        sources, building = now, self._rebuild()
                took = time.monotonic() - begun
        finally:
            if building is not None:
                building.terminate()
                building.wait()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
