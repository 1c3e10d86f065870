"""Two processes never make candidates in one folder."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.locks import held, is_held

HOLD = """
import sys
from pathlib import Path
from artgen.locks import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(ArtgenError, match="another artgen is at work"), held(tmp_path):
        pass
    assert is_held(tmp_path)
    holder.kill()
    holder.wait()
    assert not is_held(tmp_path)
    with held(tmp_path):
        pass
    with held(tmp_path):
        pass


def test_to_look_is_in_nobodys_way(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    assert not list(tmp_path.iterdir())
    looking = threading.Event()

    def look() -> None:
        while not looking.wait(0.001):
            is_held(tmp_path)

    onlooker = threading.Thread(target=look)
    onlooker.start()
    try:
        for _ in range(200):
            with held(tmp_path):
                pass
    finally:
        looking.set()
        onlooker.join()
