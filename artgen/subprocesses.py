"""Python processes of our own that work beside this one, and how many cores there are for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import IO

BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from {} import main; main()"
OWN_GROUP = 0x200  # CREATE_NEW_PROCESS_GROUP, which the subprocess module has on Windows only


def start_python(
    module: str,
    *arguments: str,
    stdin: int,
    stdout: int | IO[bytes],
    stderr: IO[bytes],
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a new Python that runs ``main()`` of a module and imports from where this process does.

    It has a process group of its own: Ctrl-C reaches this process alone, which then ends the other.

    Args:
        module: its full name.
        arguments: ``sys.argv[1:]`` of the new process.
        stdin: as ``subprocess.Popen`` takes it.
        stdout: as ``subprocess.Popen`` takes it.
        stderr: the file that warnings and tracebacks go to.
        environment: variables beside those of this process.

    Raises:
        OSError: it cannot be started.
    """
    path = [entry or os.getcwd() for entry in sys.path]
    windows = sys.platform == "win32"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", BOOT.format(module), json.dumps(path), *arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=os.environ | (environment or {}),
        process_group=None if windows else 0,
        creationflags=OWN_GROUP if windows else 0,
    )


def usable_cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
