"""A terminal that a command runs in, and that is closed like the window of one."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def run_until_terminal_closes(
    command: Sequence[str], is_time: Callable[[], bool], folder: Path, environment: Mapping[str, str]
) -> int:
    """Run a command in a terminal, close it when it is time, and return the command's exit code.

    Args:
        command: its words.
        is_time: asked again and again while the command runs.
        folder: where it runs.
        environment: its environment variables.
    """
    terminal, side_of_command = pty.openpty()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, preexec_fn=lambda: os.login_tty(side_of_command)
    )
    os.close(side_of_command)
    deadline = time.monotonic() + 120
    while not is_time() and process.poll() is None and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.02)[0]:
            os.read(terminal, 65536)
    assert process.poll() is None
    os.close(terminal)
    try:
        return process.wait(timeout=60)
    finally:
        process.kill()
