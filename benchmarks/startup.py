"""How long the command takes to begin: ``artgen --help`` and ``artgen check`` against bare Python and typer.

    python benchmarks/startup.py [--times 15]

Prints the median of wall-clock milliseconds; a cold first start of each is not counted.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TYPER = "import typer; a = typer.Typer(rich_markup_mode=None); a.command()(lambda: None); a(['--help'])"
CASES = {
    "python": ["-c", "pass"],
    "typer --help": ["-c", TYPER],
    "artgen --help": ["-m", "artgen", "--help"],
    "artgen check recipes/thumbnails.toml": ["-m", "artgen", "check", str(ROOT / "recipes/thumbnails.toml")],
    "artgen steps": ["-m", "artgen", "steps"],
    "import torch": ["-c", "import torch"],
}


def milliseconds(arguments: list[str], times: int) -> float:
    taken = []
    for _ in range(times + 1):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=15)
    times = parser.parse_args().times
    for name, arguments in CASES.items():
        print(f"{name:<40}{milliseconds(arguments, times):8.0f} ms", flush=True)


if __name__ == "__main__":
    main()
