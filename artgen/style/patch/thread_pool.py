"""A thread pool whose results do not depend on the number of threads.

If torch divides a sum among its threads, two threads round differently than three. So every torch operation
stays on one thread, and chunks of a fixed size run in parallel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

# A limit, because each thread has buffers of its own.
MAX_PATCH_THREADS = 16


class ThreadPool:
    """Threads that match patches in chunks of a fixed size.

    Args:
        thread_count: number of threads.
    """

    def __init__(self, thread_count: int) -> None:
        self.thread_count = thread_count
        self._executor = ThreadPoolExecutor(thread_count, "artgen-patches") if thread_count > 1 else None

    def run_chunks(self, work: Callable[[int, int], None], item_count: int, chunk_size: int) -> None:
        """Call ``work(start, stop)`` for every chunk of ``chunk_size`` of the ``item_count`` items.

        The chunks run in parallel, so each must write to memory of its own.
        """
        starts = range(0, item_count, chunk_size)
        if self._executor is None or len(starts) < 2:
            for start in starts:
                work(start, min(start + chunk_size, item_count))
            return
        # Not executor.map: here the first error is raised as soon as the running chunks have finished.
        futures = [
            self._executor.submit(work, start, min(start + chunk_size, item_count)) for start in starts
        ]
        for future in futures:
            future.result()

    def close(self) -> None:
        """Stop the threads that match patches."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)


@contextmanager
def open_thread_pool(device: str = "cpu") -> Iterator[ThreadPool]:
    """Open a pool of as many threads as torch uses, up to ``MAX_PATCH_THREADS``; meanwhile torch uses one.

    A GPU works in parallel by itself, so there a single thread is enough.
    """
    thread_count = torch.get_num_threads()
    torch.set_num_threads(1)
    pool = ThreadPool(min(thread_count, MAX_PATCH_THREADS) if device == "cpu" else 1)
    try:
        yield pool
    finally:
        pool.close()
        torch.set_num_threads(thread_count)
