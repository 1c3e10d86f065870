"""The training loop's pix2pix step against the published one: U-Net, 256 px, batch 1, the same networks.

    python benchmarks/training.py [--width 64 32] [--threads 2] [--rounds 40]
        [--peer FILE]         runs that script as well: FILE train WIDTH --threads N
        [--peer-repo DIR]     and the step of a copy of junyanz/pytorch-CycleGAN-and-pix2pix

- ours: everything the loop does in a step: the batch, both turns, Adam, the average, the losses kept.
- plain: the published networks and step in the shortest way (``peers.py``), on a batch made beforehand.

They take turns, round by round, so that other work on the machine slows both. The ratio is that of the sums,
by wall clock and by CPU time of the process (ours includes the thread that makes batches); rounds are a
multiple of 40, so that what the loop does every 8th and every 20th step is in it by its share. Also told: how
long a step waits for its batch. With a GPU: the loop in bf16 against fp32, with and without compiling, each
in a process of its own. What misses its limit says so.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from peers import plain, theirs

from artgen.events import ignore_event
from artgen.training.engine.checkpoints import Checkpoints
from artgen.training.engine.ema import AveragedNetwork
from artgen.training.engine.loop import REPORT_EVERY_STEPS, LossReporter, run_step, seeded_dropout
from artgen.training.engine.prefetch import BatchPrefetcher
from artgen.training.families.pix2pix import Pix2PixTraining
from artgen.training.recipes.pix2pix import Pix2PixRecipe
from artgen.training.session import TrainingJob, prepare_training

SIDE = 256
WARM = 3
CYCLE = 40  # steps after which the average (every 8) and the report (every 20) have had their share
SLOWEST, WAITING, FASTER = 1.0, 0.05, 2.0  # limits: ours over theirs; share of a step; bf16 over fp32
ON_GPU: dict[str, dict[str, object]] = {
    "fp32": {"precision": "fp32"},
    "bf16": {"precision": "bf16"},
    "bf16-compiled": {"precision": "bf16", "compiled": True},
}


class Ours:
    """The loop's step, with all that belongs to it, in ``folder``; prepared once for each width."""

    def __init__(
        self, width: int, folder: Path, *, device: str = "cpu", batch: int = 1, **more: object
    ) -> None:
        self.recipe = Pix2PixRecipe.model_validate(
            {"family": "pix2pix", "title": "bench", "steps": 1_000_000, "data": "builtin:textures"}
            | {"crop": SIDE, "width": width, "critic_width": width, "batch": batch}
            | {key: value for key, value in more.items() if key != "compiled"}
        )
        job = TrainingJob(self.recipe, folder, device=device, compile_networks=bool(more.get("compiled")))
        ready = prepare_training(job, ignore_event)
        assert isinstance(ready.family, Pix2PixTraining)
        self.family, self.accelerator = ready.family, ready.accelerator
        self.average = AveragedNetwork(self.family.generator, self.recipe.average)
        self.journal = LossReporter(Checkpoints(folder, 1), ignore_event)
        self.number = 0

    @contextmanager
    def ready(self) -> Iterator[Callable[[], None]]:
        with BatchPrefetcher(self.family.draw_batch, 0, self.recipe.steps) as self.batches:
            yield self.run

    def run(self) -> None:
        batch = self.batches.next_batch()
        with seeded_dropout(self.recipe.seed, self.number, self.family):
            losses = run_step(self.family, batch, self.number / self.recipe.steps, self.accelerator)
        self.number += 1
        self.average.update(self.number, self.family.generator, is_last=False)
        self.journal.add(losses)
        if self.number % REPORT_EVERY_STEPS == 0:
            self.journal.report(self.number, 1, self.batches.waiting_seconds)


def beside(contenders: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Wall and CPU seconds of every contender's steps, round by round."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for number in range(WARM + rounds):
        for name, run in contenders.items():
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            spent = time.perf_counter() - wall, time.process_time() - cpu
            if number >= WARM:
                taken[name].append(spent)
    return taken


def compare(width: int, arguments: argparse.Namespace) -> None:
    x, y = torch.rand(1, 3, SIDE, SIDE) * 2 - 1, torch.rand(1, 3, SIDE, SIDE) * 2 - 1
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(width, Path(folder))
        with ours.ready() as run:
            contenders = {"ours": run, "plain": plain(width, x, y)}
            if arguments.peer_repo:
                contenders["theirs"] = theirs(arguments.peer_repo, width, x, y)
            taken = beside(contenders, arguments.rounds)
            share = ours.batches.waiting_seconds / sum(wall for wall, _ in taken["ours"])
        begun = time.thread_time()
        for number in range(10):
            ours.family.draw_batch(number)
        draw = (time.thread_time() - begun) / 10
    print(f"U-Net-256, width {width}, batch 1, {arguments.threads} threads, {arguments.rounds} rounds")
    for name, spent in taken.items():
        wall, cpu = (sum(s[k] for s in spent) / len(spent) for k in (0, 1))
        line = f"  {name:7} {wall * 1e3:6.0f} ms wall  {cpu * 1e3:6.0f} ms CPU"
        if name != "ours":
            ratios = [sum(s[k] for s in taken["ours"]) / sum(s[k] for s in spent) for k in (0, 1)]
            line += f"   ours / {name}: {ratios[0]:.3f} wall, {ratios[1]:.3f} CPU"
            line += verdict(max(ratios) <= SLOWEST, f"limit {SLOWEST:g}")
        print(line)
    cpu = sum(s[1] for s in taken["ours"]) / arguments.rounds
    print(f"  waiting for batches: {share:.2%} of the step{verdict(share < WAITING, f'limit {WAITING:.0%}')}")
    print(f"  making a batch: {draw / cpu:.1%} of a step's CPU time")
    if arguments.peer:
        command = [
            sys.executable,
            str(arguments.peer),
            "train",
            str(width),
            "--threads",
            str(arguments.threads),
        ]
        print("  " + subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def verdict(kept: bool, limit: str) -> str:
    return f" ({limit})" if kept else f" *** LIMIT MISSED *** ({limit})"


def on_gpu(rounds: int) -> None:
    """Images a second of the loop; channels last in all."""
    for batch in (1, 16):
        rates: dict[str, float] = {}
        for case in ON_GPU:
            command = [sys.executable, __file__, "--rounds", str(rounds), "--on-gpu", case, str(batch)]
            rates[case] = float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
            faster = rates[case] / rates["fp32"]
            print(f"  batch {batch:2}  {case:15}{rates[case]:8.1f} images/s  {faster:.2f} x fp32")
        best = max(rate for case, rate in rates.items() if case != "fp32") / rates["fp32"]
        said = verdict(best >= FASTER, f"at least {FASTER:g}")
        print(f"  batch {batch:2}  the better of bf16: {best:.2f} x fp32{said}")


def rate_on_gpu(case: str, batch: int, steps: int) -> float:
    """Images a second, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(64, Path(folder), device="cuda", batch=batch, **ON_GPU[case])
        with ours.ready() as run:
            for _ in range(CYCLE):
                run()
            torch.cuda.synchronize()
            begun = time.perf_counter()
            for _ in range(steps):
                run()
            torch.cuda.synchronize()
            return batch * steps / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, nargs="+", default=[64, 32])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=CYCLE)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--peer-repo", type=Path)
    parser.add_argument("--on-gpu", nargs=2, metavar=("CASE", "BATCH"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.rounds = -(-arguments.rounds // CYCLE) * CYCLE
    if arguments.on_gpu:
        case, batch = arguments.on_gpu
        print(rate_on_gpu(case, int(batch), 2 * arguments.rounds))
        return
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    for width in arguments.width:
        compare(width, arguments)
    if torch.cuda.is_available():
        print(torch.cuda.get_device_name())
        on_gpu(arguments.rounds)
    else:
        print("no GPU here: bf16 against fp32 was not measured")


if __name__ == "__main__":
    main()
