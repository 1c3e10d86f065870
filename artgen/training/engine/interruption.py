"""Stopping a training by Ctrl-C or SIGTERM between two steps."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """A context in which Ctrl-C, or a scheduler's SIGTERM, sets ``stop_requested`` in place of raising.

    The training loop checks it after each step, for half a step could not be resumed. A second signal raises
    ``KeyboardInterrupt`` at once.
    """

    def __init__(self) -> None:
        self.stop_requested = False
        self._in_main_thread = threading.current_thread() is threading.main_thread()
        self._previous_handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        if self._in_main_thread:  # only there does Python set signal handlers
            self._previous_handlers = {
                number: signal.signal(number, self._request_stop) for number in STOP_SIGNALS
            }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        if self.stop_requested:
            raise KeyboardInterrupt
        self.stop_requested = True
