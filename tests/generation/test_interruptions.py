"""Runs that are killed, stopped, or out of disk space: after resuming they have the same files."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from artgen.imaging.io.files import TEMPORARY_FILE_PREFIX

COMMAND = [sys.executable, "-m", "artgen", "run", "tiny.toml"]

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="finds worker processes in /proc"
)


def contents(place: Path) -> dict[str, bytes]:
    (run,) = (place / "runs").glob("tiny-*")
    files = [path for part in ("candidates", "stages", "thumbs") for path in (run / part).iterdir()]
    return {str(path.relative_to(run)): path.read_bytes() for path in files}


def whole_files(place: Path) -> int:
    return sum(not path.name.startswith(TEMPORARY_FILE_PREFIX) for path in (place / "runs").rglob("*.*p*"))


def children(process: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == process:
                found.append(int(stat.parent.name))
    return found


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(processes: list[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while any(alive(process) for process in processes):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def start(place: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *options], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(place: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(COMMAND, cwd=place, capture_output=True, text=True, timeout=240)


def wait_for_files(place: Path, count: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while whole_files(place) < count and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)


def kill_and_resume(place: Path, moments: int, chance: random.Random) -> int:
    """Kill a run at random moments, each time after it came a little further; then let it end."""
    killed = 0
    for moment in range(moments):
        process = start(place)
        wait_for_files(place, whole_files(place) + chance.randint(0, 44 // moments), process)
        time.sleep(chance.random() * 0.2)
        workers = children(process.pid)
        victims = [*workers, process.pid] if moment % 2 else [process.pid]
        killed += process.poll() is None
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        process.communicate()
        assert gone(workers, 5), "workers outlived their coordinator"
    done = finish(place)
    assert done.returncode == 0, done.stderr
    assert not list((place / "runs").rglob(f"{TEMPORARY_FILE_PREFIX}*"))
    return killed


@pytest.mark.slow
@pytest.mark.parametrize("moments", [20])
def test_kill_9_at_random_moments_changes_no_byte(project: Path, sampled: Path, moments: int) -> None:
    assert kill_and_resume(project, moments, random.Random(moments)) >= moments // 2
    assert contents(project) == contents(sampled)


def test_ctrl_c_stops_at_once_and_says_how_to_go_on(project: Path) -> None:
    process = start(project, "-n", "40")
    wait_for_files(project, 3, process)
    workers = children(process.pid)
    assert workers
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, error_text = process.communicate(timeout=30)
    assert time.monotonic() - began < 3
    assert process.returncode == 130
    assert gone(workers, 1)
    assert "resume with: artgen run tiny.toml -n 40" in error_text
    assert "Traceback" not in error_text
    assert not list((project / "runs").rglob(f"{TEMPORARY_FILE_PREFIX}*"))


def test_a_killed_worker_is_reported_and_nothing_is_lost(project: Path, sampled: Path) -> None:
    process = start(project, "--workers", "1")
    wait_for_files(project, 2, process)
    os.kill(children(process.pid)[0], signal.SIGKILL)
    _, error_text = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "a worker: was ended by SIGKILL, as when memory runs out" in error_text
    assert "Traceback" not in error_text
    made = contents(project)
    assert made.items() <= contents(sampled).items()


def test_a_limit_on_files_is_a_clear_message(project: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000))

    done = subprocess.run(COMMAND, cwd=project, capture_output=True, text=True, timeout=120, preexec_fn=limit)
    assert done.returncode == 2
    assert "could not be written (" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((project / "runs").rglob(f"{TEMPORARY_FILE_PREFIX}*"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk; the limit on files is tested instead")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", place]).returncode:
        pytest.skip("this machine does not let root mount a tmpfs")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.slow
def test_a_full_disk_loses_nothing(small_disk: Path, project: Path, sampled: Path) -> None:
    (project / "runs").symlink_to(small_disk)
    for size in ("120k", "360k"):
        subprocess.run(["mount", "-o", f"remount,size={size}", small_disk], check=True)
        done = finish(project)
        assert done.returncode == 2, done.stdout
        assert "could not be written (" in done.stderr
        assert "Traceback" not in done.stderr
        assert not list(small_disk.rglob(f"{TEMPORARY_FILE_PREFIX}*"))
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    done = finish(project)
    assert done.returncode == 0, done.stderr
    assert contents(project) == contents(sampled)
