"""CPU seconds of a candidate of ``recipes/abstracts.toml``, step by step, beside those of another commit.

    python benchmarks/candidate.py [--commit 59e8273] [--candidates 12] [--rounds 2]

Both use that commit's recipe and models, in this environment and on the same cores, by turns. A step costs
what a recipe with it needs more than the recipe that ends before it.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
STEP_CANDIDATES = 3


class Cost(NamedTuple):
    """Seconds that a run took by the clock, and of all its processes on the CPU."""

    clock: float
    cpu: float


def check_out(commit: str, folder: Path) -> Path:
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def run(code: Path, recipe: str, candidates: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        recipe_file = Path(folder, "candidate.toml")
        recipe_file.write_text(recipe)
        arguments = ["run", str(recipe_file), "--runs", folder, "--candidates", str(candidates)]
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "artgen", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(code)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"a run by {code} ended with exit status {process.returncode}")
        return Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime)


def split_steps(recipe: str) -> list[tuple[str, str]]:
    """Names of the parts, and the recipe up to and with each."""
    recipe = recipe.split("[gallery]")[0]
    head, *steps = recipe.split("[[steps]]\n")
    parts = [("start and source", head)]
    for step in steps:
        name = step.split('use = "')[1].split('"')[0]
        parts.append((name, parts[-1][1] + "[[steps]]\n" + step))
    return parts


def print_costs(name: str, seconds: Sequence[float], unit: str) -> None:
    before, now = seconds
    print(f"{name:<20}{before:9.2f}{now:9.2f} {unit:<6}{now / before:7.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commit", default="59e8273")
    parser.add_argument("--candidates", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        before = check_out(options.commit, Path(folder))
        recipe = (before / "recipes/abstracts.toml").read_text()
        now = Path(folder, "now")
        shutil.copytree(ROOT / "artgen", now / "artgen")
        models = "artgen/models/pretrained"
        shutil.copytree(before / models, now / models, dirs_exist_ok=True)

        print(f"{'':<20}{options.commit:>9}{'now':>9} {'':<6}{'ratio':>7}")
        last = Cost(0, 0), Cost(0, 0)
        for name, part in split_steps(recipe):
            costs = run(before, part, STEP_CANDIDATES), run(now, part, STEP_CANDIDATES)
            taken = [(cost.cpu - old.cpu) / STEP_CANDIDATES for cost, old in zip(costs, last, strict=True)]
            print_costs(name, taken, "CPU-s")
            last = costs
        pairs = [
            (run(before, recipe, options.candidates), run(now, recipe, options.candidates))
            for _ in range(options.rounds)
        ]
        print(f"{options.candidates} candidates, medians of {options.rounds} runs by turns:")
        for unit, kind in (("s", 0), ("CPU-s", 1)):
            medians = [statistics.median(pair[version][kind] for pair in pairs) for version in (0, 1)]
            print_costs("all", medians, unit)


if __name__ == "__main__":
    main()
