"""Work on every core that comes out the same on any number of them.

A sum that torch shares out among threads is rounded differently by two threads than by three. So each
operation stays on one thread, and what runs side by side is pieces of a fixed size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

# Each has buffers of its own.
MOST = 16


class Crew:
    """Threads that take pieces of a work.

    Args:
        threads: how many work side by side.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, "artgen-piece") if threads > 1 else None

    def share(self, work: Callable[[int, int], None], count: int, size: int) -> None:
        """Call ``work(start, stop)`` for every piece of ``count`` things, ``size`` at a time.

        Pieces must write to places of their own.
        """
        starts = range(0, count, size)
        if self._pool is None or len(starts) < 2:
            for start in starts:
                work(start, min(start + size, count))
            return
        # By hand instead of map: the first error ends it when what has begun is done.
        tasks = [self._pool.submit(work, start, min(start + size, count)) for start in starts]
        for task in tasks:
            task.result()

    def close(self) -> None:
        """Let the threads go."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


@contextmanager
def crew(device: str = "cpu") -> Iterator[Crew]:
    """As many threads as torch has now, up to ``MOST``; within, each operation of torch's has one.

    A GPU works in parallel by itself: there one thread feeds it.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    found = Crew(min(threads, MOST) if device == "cpu" else 1)
    try:
        yield found
    finally:
        found.close()
        torch.set_num_threads(threads)
