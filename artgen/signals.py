"""The signals that stop a program in order: Ctrl-C, a scheduler's SIGTERM, a closed terminal's SIGHUP."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any

STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Windows has no SIGHUP."""
OUTPUT_DESCRIPTORS = (1, 2)  # standard output and standard error


@contextlib.contextmanager
def stop_signals_handled(handler: Callable[[int], None]) -> Iterator[None]:
    """Let a function receive the stop signals inside the ``with`` block, as ``set_stop_handler`` does.

    In another thread than the main one, in which alone Python sets handlers, this does nothing.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    previous_handlers = set_stop_handler(handler, STOP_SIGNALS) if in_main_thread else {}
    try:
        yield
    finally:
        for number, previous_handler in previous_handlers.items():
            signal.signal(number, previous_handler)


def set_stop_handler(
    handler: Callable[[int], None], signals: Sequence[signal.Signals]
) -> dict[signal.Signals, Any]:
    """Let a function receive signals; those that are ignored, as by ``nohup``, stay so.

    Output to a terminal that is gone is dropped before, for writing there is an error.

    Args:
        handler: called in the main thread with the number of the signal.
        signals: some of ``STOP_SIGNALS``.

    Returns:
        The earlier handlers of the signals that it receives.
    """

    def receive(number: int, frame: FrameType | None) -> None:
        drop_output_to_lost_terminal()
        handler(number)

    previous_handlers = {number: signal.getsignal(number) for number in signals}
    received = {number: old for number, old in previous_handlers.items() if old is not signal.SIG_IGN}
    for number in received:
        signal.signal(number, receive)
    return received


def drop_output_to_lost_terminal() -> None:
    """Let standard output and standard error lead nowhere if they led to a terminal that is closed."""
    for descriptor in OUTPUT_DESCRIPTORS:
        try:
            os.write(descriptor, b"")
        except OSError:  # a pipe without a reader takes nothing at all; only a lost terminal refuses it
            drop_output(descriptor)


def drop_output(descriptor: int) -> None:
    """Let a file descriptor lead nowhere, where every write succeeds."""
    with contextlib.suppress(OSError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), descriptor)
