"""Detection of changed files for ``artgen preview``, by polling.

The notifications of operating systems differ, and polling a thousand files takes a few milliseconds.
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

FILES_POLL_SECONDS = 0.3  # seconds between two looks, or
REST_PER_POLL_FACTOR = 15  # times as long as a look took: the machine has other work
TILE_FOLDER_ENDING = "_files"  # folders of deep zoom's tiles: thousands, and never changed by themselves

Rebuild = Callable[[], subprocess.Popen[bytes]]
"""Starts rebuilding the site in a separate process."""


def hash_file_states(paths: Iterable[Path]) -> str:
    """Return a text that changes whenever a file that a site is made from does."""
    digest = hashlib.sha256()
    for path in paths:
        for line in sorted(_describe_file_states(os.path.realpath(path))):
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:24]


def _describe_file_states(path: str) -> Iterator[str]:
    try:
        status = os.lstat(path)
    except OSError:
        return
    if not stat.S_ISDIR(status.st_mode):  # a link is looked at, not followed: it may lead in a circle
        yield f"{path}\0{status.st_ino} {status.st_size} {status.st_mtime_ns}\n"
        return
    yield f"{path}\0{status.st_mtime_ns if path.endswith(TILE_FOLDER_ENDING) else ''}\n"
    if path.endswith(TILE_FOLDER_ENDING) or os.path.basename(path) == ".git":
        return
    with contextlib.suppress(OSError), os.scandir(path) as entries:
        for entry in entries:
            yield from _describe_file_states(entry.path)


class Watcher:
    """Polls a previewed site and its sources until it is stopped.

    Args:
        site: the site's folder.
        sources: files and folders; when one changes the site is built again.
        rebuild: builds it; None if nobody asked for that.
    """

    def __init__(self, site: Path, sources: Iterable[Path] = (), rebuild: Rebuild | None = None) -> None:
        self._site, self._sources, self._rebuild = site, tuple(sources), rebuild
        self.version = hash_file_states([site])
        self._news = asyncio.Event()
        self.stopped = False

    async def wait_for_change(self, seconds: float) -> None:
        """Wait until the site has another version, the watcher is stopped, or so long has passed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)

    def stop(self) -> None:
        """Stop polling; let ``watch`` and everyone who waits for a change return."""
        self.stopped = True
        self._wake_waiters()

    async def watch(self) -> None:
        """Poll the site until stopped. One that is still changing is not reported until two polls agree."""
        site, sources = self.version, hash_file_states(self._sources)
        building: subprocess.Popen[bytes] | None = None
        look_seconds = 0.0
        try:
            while not self.stopped:
                await asyncio.sleep(max(FILES_POLL_SECONDS, REST_PER_POLL_FACTOR * look_seconds))
                started = time.monotonic()
                site_before, site = site, await asyncio.to_thread(hash_file_states, [self._site])
                if site == site_before != self.version and self._site.is_dir():
                    self.version = site
                    self._wake_waiters()
                if building is not None and building.poll() is not None:
                    building = None
                if self._rebuild is not None and building is None:
                    new_sources = await asyncio.to_thread(hash_file_states, self._sources)
                    if new_sources != sources:
                        sources, building = new_sources, self._rebuild()
                look_seconds = time.monotonic() - started
        finally:
            if building is not None:
                building.terminate()
                building.wait()

    def _wake_waiters(self) -> None:
        """Wake everyone who waits for a change of the site."""
        self._news.set()
        self._news = asyncio.Event()
