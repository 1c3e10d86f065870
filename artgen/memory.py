"""The memory of this computer, as far as the operating system tells it without further packages."""

from __future__ import annotations

import os
from pathlib import Path

MEMINFO_FILE = Path("/proc/meminfo")
CONTAINER_LIMIT_FILES = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def total_memory() -> int | None:
    """Return the bytes of memory that processes may use here, with swap; None where that is unknown."""
    meminfo = _read_meminfo()
    if meminfo:
        return _within_container(meminfo.get("MemTotal", 0) + meminfo.get("SwapTotal", 0))
    try:  # macOS
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows
        return None


def available_memory() -> int | None:
    """Return the bytes of memory that new processes can use now; None where that is unknown."""
    available = _read_meminfo().get("MemAvailable")
    return total_memory() if available is None else _within_container(available)


def affordable_workers(wanted: int, worker_bytes: int) -> int:
    """Return how many processes, at least one and at most those wanted, fit in the memory available now.

    Args:
        wanted: processes.
        worker_bytes: memory that each takes.
    """
    available = available_memory()
    return wanted if available is None else min(wanted, max(1, available // max(1, worker_bytes)))


def _read_meminfo() -> dict[str, int]:
    """Return the bytes of each kind of memory that Linux lists; empty on other systems."""
    try:
        lines = MEMINFO_FILE.read_text("ascii").splitlines()
        pairs = (line.partition(":")[::2] for line in lines if line.endswith(" kB"))
        return {name: int(value.removesuffix("kB")) << 10 for name, value in pairs}
    except (OSError, ValueError):
        return {}


def _within_container(size: int) -> int:
    """Return ``size``, or the limit of the container that this process runs in if that is less."""
    for file in CONTAINER_LIMIT_FILES:
        try:
            size = min(size, int(file.read_text("ascii")))
        except (OSError, ValueError):  # none, or `max`
            continue
    return size
