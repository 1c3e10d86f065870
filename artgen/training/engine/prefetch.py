"""Batches drawn ahead of time in another thread, so that the networks never wait for them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

DEPTH = 3


class Ahead:
    """The batches of steps ``first`` to ``end - 1``, in order.

    A thread is enough: decoding was done once, into a memory-mapped file, and Pillow, NumPy and torch let go
    of the interpreter while they resize.

    Args:
        draw: makes the batch of a step; a pure function of its number.
        first: the first step.
        end: one past the last.
    """

    def __init__(self, draw: Callable[[int], Any], first: int, end: int) -> None:
        self._draw, self._next, self._end = draw, first, end
        self._pool = ThreadPoolExecutor(1, "artgen-batches")
        self._waiting: deque[Future[Any]] = deque()
        self.waited = 0.0
        """Seconds that the training stood still for a batch."""

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def take(self) -> Any:
        """The next batch."""
        while len(self._waiting) < DEPTH and self._next < self._end:
            self._waiting.append(self._pool.submit(self._draw, self._next))
            self._next += 1
        begun = time.monotonic()
        batch = self._waiting.popleft().result()
        self.waited += time.monotonic() - begun
        return batch
