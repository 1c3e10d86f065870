"""Child processes that run artgen's Python code, and the number of cores for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

BOOT_CODE = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from {} import main; main()"
WINDOWS_NEW_PROCESS_GROUP = (
    0x200  # CREATE_NEW_PROCESS_GROUP: the subprocess module defines it on Windows only
)


def start_python(
    module: str,
    *arguments: str,
    stdin: int,
    stdout: int | IO[bytes],
    stderr: IO[bytes],
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a Python process that runs ``main()`` of a module, with the import path of this process.

    It gets its own process group: Ctrl-C reaches only this process, which then stops the child.

    Args:
        module: the module's full name.
        arguments: ``sys.argv[1:]`` of the new process.
        stdin: as ``subprocess.Popen`` takes it.
        stdout: as ``subprocess.Popen`` takes it.
        stderr: the file that warnings and tracebacks go to.
        environment: variables added to those of this process.

    Raises:
        OSError: the process cannot be started.
    """
    import_path = [entry or os.getcwd() for entry in sys.path]
    on_windows = sys.platform == "win32"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", BOOT_CODE.format(module), json.dumps(import_path), *arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=os.environ | (environment or {}),
        process_group=None if on_windows else 0,
        creationflags=WINDOWS_NEW_PROCESS_GROUP if on_windows else 0,
    )


@contextmanager
def hidden_main_module() -> Iterator[None]:
    """Keep processes that ``multiprocessing`` spawns inside the block from importing the user's script.

    A script without ``if __name__ == "__main__"`` would otherwise start itself again in each of them.
    """
    main = sys.modules["__main__"]
    hidden = {name: main.__dict__.get(name) for name in ("__file__", "__spec__")}
    try:
        main.__dict__.pop("__file__", None)
        main.__spec__ = None
        yield
    finally:
        main.__dict__.update({name: value for name, value in hidden.items() if value is not None})


def count_usable_cores() -> int:
    """Return how many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
