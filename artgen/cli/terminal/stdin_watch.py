"""A command that ends with whoever started it."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading


def interrupt_when_stdin_closes() -> None:
    """Be interrupted, as by Ctrl-C, once standard input is closed.

    Its other end is closed with the process that holds it, however that ended: ``kill -9`` too.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        if os.name == "posix":
            os.kill(os.getpid(), signal.SIGINT)  # what the main thread waits in is broken off
        else:
            _thread.interrupt_main()

    threading.Thread(target=wait, daemon=True, name="closing").start()
