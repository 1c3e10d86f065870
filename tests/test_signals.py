"""Stop signals: which are received, and in which thread."""

from __future__ import annotations

import signal
import sys
from threading import Thread

import pytest

from artgen.signals import stop_signals_handled

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


def test_signals_are_received_inside_the_block_except_what_nohup_ignores() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    received: list[int] = []
    try:
        with stop_signals_handled(received.append):
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
                signal.raise_signal(number)
        assert received == [signal.SIGINT, signal.SIGTERM]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_leaves_them_alone() -> None:
    handlers: list[object] = []

    def work() -> None:
        with stop_signals_handled(lambda number: None):
            handlers.append(signal.getsignal(signal.SIGTERM))

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGTERM)]
