"""Drawing batches ahead of time in another thread, so that the networks need not wait for them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

MAX_QUEUED_BATCHES = 3


class BatchPrefetcher:
    """A queue of the training batches of steps ``first_step`` to ``end_step - 1``, in order.

    One thread is enough: images were decoded into a memory-mapped file before, and Pillow, NumPy and torch
    release the interpreter lock while they resize.

    Args:
        draw_batch: returns the batch of a step; a pure function of the step.
        first_step: the first step.
        end_step: one past the last step.
    """

    def __init__(self, draw_batch: Callable[[int], Any], first_step: int, end_step: int) -> None:
        self._draw_batch, self._next_step, self._end_step = draw_batch, first_step, end_step
        self._executor = ThreadPoolExecutor(1, "artgen-batches")
        self._queue: deque[Future[Any]] = deque()
        self.waiting_seconds = 0.0
        """Seconds that the training has waited for batches."""

    def __enter__(self) -> BatchPrefetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(cancel_futures=True)

    def next_batch(self) -> Any:
        """Return the training batch of the next step, and start drawing those after it."""
        while len(self._queue) < MAX_QUEUED_BATCHES and self._next_step < self._end_step:
            self._queue.append(self._executor.submit(self._draw_batch, self._next_step))
            self._next_step += 1
        wait_start = time.monotonic()
        batch = self._queue.popleft().result()
        self.waiting_seconds += time.monotonic() - wait_start
        return batch
