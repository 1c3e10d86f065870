"""Locks: only one process at a time works in a folder."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.locks import is_folder_locked, lock_folder

HOLD = """
import sys
from pathlib import Path
from artgen.locks import lock_folder
with lock_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(ArtgenError, match="another artgen is at work"), lock_folder(tmp_path):
        pass
    assert is_folder_locked(tmp_path)
    holder.kill()
    holder.communicate()
    assert not is_folder_locked(tmp_path)
    with lock_folder(tmp_path):
        pass
    with lock_folder(tmp_path):
        pass


def test_checking_a_lock_blocks_nobody(tmp_path: Path) -> None:
    assert not is_folder_locked(tmp_path)
    assert not list(tmp_path.iterdir())
    stopped = threading.Event()

    def check() -> None:
        while not stopped.wait(0.001):
            is_folder_locked(tmp_path)

    checker = threading.Thread(target=check)
    checker.start()
    try:
        for _ in range(200):
            with lock_folder(tmp_path):
                pass
    finally:
        stopped.set()
        checker.join()
