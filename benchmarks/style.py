"""What the patch method costs: CPU seconds, peak memory, and how far that is from its arithmetic alone.

python benchmarks/style.py [PROTOTYPE]

PROTOTYPE is a Python file with a function ``stylize(content, styles, preset=, size=, seed=)``; where one is
given it is timed beside ours in the same run. Every measurement runs in a process of its own: one thread for
CPU seconds, every core for the large picture.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

STYLE = "starry-night"
ROUNDS = 3


def pictures(side: int) -> tuple[Any, Any]:
    import torch
    from skimage import data

    from artgen.imaging.image import resize_longer_side
    from artgen.imaging.io.files import read_image
    from artgen.style.library import painting_credit

    content = torch.from_numpy(data.astronaut()).permute(2, 0, 1).float() / 255
    return resize_longer_side(content, side), read_image(painting_credit(STYLE).file)


def ours(side: int, fast: bool) -> dict[str, float]:
    """Seconds of the first picture of a painting, and of the next; multiplications that both must do."""
    import torch

    from artgen.style.patch import dictionary
    from artgen.style.patch.patch import stylize_by_patches
    from artgen.style.patch.presets import patch_preset
    from artgen.style.request import StyleRequest

    settings = replace(patch_preset("balanced"), fast=fast)
    content, style = pictures(side)
    done = {"flop": 0.0}
    plain = torch.mm

    def counted(left: Any, right: Any, **more: Any) -> Any:
        done["flop"] += 2.0 * left.shape[0] * left.shape[1] * right.shape[1]
        return plain(left, right, **more)

    dictionary.torch.mm = counted  # type: ignore[attr-defined]
    try:
        told = []
        for seed in range(2):
            begun, wall = time.process_time(), time.perf_counter()
            stylize_by_patches(content, [[style]], StyleRequest(seed=seed), settings)
            told.append((time.process_time() - begun, time.perf_counter() - wall))
    finally:
        dictionary.torch.mm = plain  # type: ignore[attr-defined]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    names = ("first_cpu", "first_wall", "next_cpu", "next_wall")
    return dict(zip(names, (*told[0], *told[1]), strict=True)) | {
        "peak": peak,
        "flop": done["flop"] / 2,
        "speed": gemm_speed(),
    }


def gemm_speed() -> float:
    """Floating-point operations a CPU second of a product of the search's shape, nothing beside it."""
    import torch

    left, right = torch.rand(128, 34), torch.rand(34, 16_000)
    out = torch.empty(128, 16_000)
    for rounds in (20, 400):
        begun = time.process_time()
        for _ in range(rounds):
            torch.mm(left, right, out=out)
        seconds = time.process_time() - begun
    return 2.0 * 128 * 34 * 16_000 * rounds / seconds


def prototype(file: Path, side: int) -> dict[str, float]:
    spec = importlib.util.spec_from_file_location("prototype", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    content, style = pictures(side)
    begun = time.process_time()
    module.stylize(content[None], [style[None]], preset="balanced", size=side, seed=0)
    return {"first_cpu": time.process_time() - begun}


def child(what: str, side: int, threads: int, file: str = "") -> dict[str, float]:
    command = [sys.executable, __file__, "--child", what, str(side), file]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    found = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return dict(json.loads(found.stdout))


def main() -> None:
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    print(f"patch, astronaut in the manner of {STYLE}; CPU seconds on one thread, least of {ROUNDS}")
    rounds = [
        (child("ours", 512, 1), child("prototype", 512, 1, str(file)) if file else {})
        for _ in range(ROUNDS if file else 1)
    ]
    own = min((mine for mine, _ in rounds), key=lambda one: one["first_cpu"])
    search = own["flop"] / own["speed"]
    print(
        f"  512 px         {own['first_cpu']:.1f} s, the next from the same painting {own['next_cpu']:.1f} s "
        f"(at most 12); comparing patches alone, at this machine's {own['speed'] / 1e9:.0f} GFLOP/s for such "
        f"products, is {search:.1f} s: {search / own['next_cpu']:.0%}"
    )
    if file:
        theirs = [theirs["first_cpu"] for _, theirs in rounds]
        ratios = sorted(mine["first_cpu"] / theirs["first_cpu"] for mine, theirs in rounds)
        print(f"  the prototype  {min(theirs):.1f} s: ours takes {ratios[len(ratios) // 2]:.2f} of it")
    else:
        print(f"  no prototype at {file}")
    quick = child("fast", 256, 1)
    print(f"  256 px preview {quick['first_cpu']:.1f} s (at most 2)")
    large = child("ours", 2048, cores)
    print(
        f"  2048 px        {large['first_wall']:.0f} s on {cores} cores (at most 240), "
        f"{large['first_cpu']:.0f} CPU s, peak {large['peak'] / 1e9:.2f} GB (at most 2)"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        what, side = sys.argv[2], int(sys.argv[3])
        told = prototype(Path(sys.argv[4]), side) if what == "prototype" else ours(side, what == "fast")
        print(json.dumps(told))
    else:
        main()
