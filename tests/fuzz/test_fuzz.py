"""Thousands of mutated files through the command line in one process: messages or results, no tracebacks.

``FUZZ_SEED=7 pytest -k fuzz -m slow -s`` tries other inputs; the same seed makes the same ones.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CPU_SECONDS, MEMORY_BYTES = 60, 1_000_000_000
SEED = int(os.environ.get("FUZZ_SEED", "17"))


@pytest.mark.parametrize("count", [80, pytest.param(2_000, marks=pytest.mark.slow)])
def test_mutated_files_give_messages(sampled: Path, count: int) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))  # AS would count torch's files

    attack = subprocess.run(
        [sys.executable, Path(__file__).with_name("attack.py"), sampled, str(SEED), str(count)],
        cwd=sampled,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert attack.returncode == 0, attack.stderr[-3000:]
    report = json.loads(attack.stdout)
    print(
        f"seed {SEED}: {report['inputs']}; {report['refused']} refused; {report['seconds']} s of CPU", end=""
    )
    print(f"; {report['memory_bytes'] / 1e6:.0f} MB")
    assert sum(report["inputs"].values()) == count
    problems = [f"{one['kind']} {one['command']}: {one['problem'][-1500:]}" for one in report["problems"]]
    assert not problems, "\n\n".join(problems)
    assert count // 4 < report["refused"] < count  # mutations are neither harmless nor all nonsense
    assert report["memory_bytes"] < MEMORY_BYTES
