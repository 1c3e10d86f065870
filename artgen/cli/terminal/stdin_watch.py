"""Interrupt a command when its standard input closes, because the process that started it ended."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading


def interrupt_when_stdin_closes() -> None:
    """Interrupt this process, as by Ctrl-C, once standard input is closed.

    The other end of the pipe closes with the process that holds it, even after ``kill -9``.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        if os.name == "posix":
            os.kill(os.getpid(), signal.SIGINT)  # also interrupts a blocking call of the main thread
        else:
            _thread.interrupt_main()

    threading.Thread(target=wait, daemon=True, name="stdin-watch").start()
