"""Stopping a training by Ctrl-C, SIGTERM or a closed terminal between two steps."""

from __future__ import annotations

import signal
from contextlib import AbstractContextManager

from artgen.signals import stop_signals_handled


class StopSignals:
    """A context in which a signal that stops a program sets ``stop_requested`` in place of raising.

    The training loop checks it after each step, for half a step could not be resumed. A second Ctrl-C raises
    ``KeyboardInterrupt`` at once; a closed terminal may well send its signal twice.
    """

    def __init__(self) -> None:
        self.stop_requested = False
        self._handling: AbstractContextManager[None] = stop_signals_handled(self._request_stop)

    def __enter__(self) -> StopSignals:
        self._handling.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._handling.__exit__(None, None, None)

    def _request_stop(self, number: int) -> None:
        if self.stop_requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.stop_requested = True
