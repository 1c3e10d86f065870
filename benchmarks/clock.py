"""How long something computes: CPU time, for other work on the machine does not count towards it."""

from __future__ import annotations

import time
from collections.abc import Callable


def cpu_seconds(run: Callable[[], object], rounds: int) -> list[float]:
    """CPU seconds of each of ``rounds`` runs, after one that does not count."""
    run()
    seconds = []
    for _ in range(rounds):
        begun = time.process_time()
        run()
        seconds.append(time.process_time() - begun)
    return seconds
