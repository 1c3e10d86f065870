"""The training loop's pix2pix step against the published one: U-Net, 256 px, batch 1, the same networks.

    python benchmarks/training.py [--width 64 32] [--threads 2] [--rounds 12]
        [--peer FILE]         runs that script as well: FILE train WIDTH --threads N
        [--peer-repo DIR]     and the step of a copy of junyanz/pytorch-CycleGAN-and-pix2pix

- ours: everything the loop does in a step: the batch, both turns, Adam, the average, the losses kept.
- plain: the published networks and step, written here in the shortest way, on a batch made beforehand.

They take turns, round by round, so that other work on the machine slows both; the ratio is the median over
rounds, by wall clock and by CPU time of the process (ours includes the thread that makes batches). Also told:
how long a step waits for its batch. With a GPU: the loop in bf16 against fp32, with and without compiling.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from artgen.events import ignore
from artgen.training.ahead import Ahead
from artgen.training.average import Average
from artgen.training.checkpoints import Checkpoints
from artgen.training.families.pix2pix import Pix2PixTraining
from artgen.training.loop import Journal, chance, step
from artgen.training.recipes.pix2pix import Pix2PixRecipe
from artgen.training.session import Job, prepare

SIDE = 256
WARM = 3


class Level(nn.Module):
    """One level of the published U-Net: down, what lies below, up, joined with what came in."""

    def __init__(self, outer: int, inner: int, below: nn.Module | None, dropout: bool) -> None:
        super().__init__()
        down: list[nn.Module] = [nn.LeakyReLU(0.2, True), nn.Conv2d(outer, inner, 4, 2, 1, bias=False)]
        up: list[nn.Module] = [
            nn.ReLU(True),
            nn.ConvTranspose2d(inner * (2 if below else 1), outer, 4, 2, 1, bias=False),
            nn.BatchNorm2d(outer),
        ]
        middle = [nn.BatchNorm2d(inner), below] if below else []
        self.body = nn.Sequential(*down, *middle, *up, *([nn.Dropout(0.5)] if dropout else []))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.body(x)], 1)


def unet(width: int) -> nn.Module:
    level: nn.Module | None = None
    for outer, inner, dropout in (
        (8, 8, False), (8, 8, True), (8, 8, True), (8, 8, True), (4, 8, False), (2, 4, False), (1, 2, False),
    ):  # fmt: skip
        level = Level(outer * width, inner * width, level, dropout)
    assert level is not None
    first, last = nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.ConvTranspose2d(2 * width, 3, 4, 2, 1)
    return nn.Sequential(first, level, nn.ReLU(True), last, nn.Tanh())


def patchgan(width: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(6, width, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for i, stride in enumerate((2, 2, 1)):
        a, b = width << i, width << i + 1
        layers += [nn.Conv2d(a, b, 4, stride, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))


def plain(width: int, x: Tensor, y: Tensor) -> Callable[[], None]:
    """The published step: forward, the critic's turn, the generator's; each with Adam."""
    generator, critic = unet(width), patchgan(width)
    adams = [torch.optim.Adam(n.parameters(), 2e-4, (0.5, 0.999)) for n in (generator, critic)]
    l1, bce = nn.L1Loss(), nn.BCEWithLogitsLoss()

    def judged(picture: Tensor, truth: float) -> Tensor:
        verdicts = critic(torch.cat([x, picture], 1))
        return bce(verdicts, torch.full_like(verdicts, truth))

    def run() -> None:
        fake = generator(x)
        critic.requires_grad_(True)
        adams[1].zero_grad()
        ((judged(fake.detach(), 0.0) + judged(y, 1.0)) * 0.5).backward()
        adams[1].step()
        critic.requires_grad_(False)
        adams[0].zero_grad()
        (judged(fake, 1.0) + 100 * l1(fake, y)).backward()
        adams[0].step()

    return run


def theirs(repository: Path, width: int, x: Tensor, y: Tensor) -> Callable[[], None]:
    """``optimize_parameters`` of their ``Pix2PixModel``, as its ``train.py`` calls it."""
    sys.path.insert(0, str(repository))
    options = SimpleNamespace(
        gpu_ids=[], isTrain=True, checkpoints_dir=tempfile.gettempdir(), name="peer", preprocess="none",
        input_nc=3, output_nc=3, ngf=width, ndf=width, netG="unet_256", netD="basic", n_layers_D=3,
        norm="batch", no_dropout=False, init_type="normal", init_gain=0.02, gan_mode="vanilla", pool_size=0,
        lr=2e-4, beta1=0.5, lambda_L1=100.0, direction="AtoB",
    )  # fmt: skip
    model = importlib.import_module("models.pix2pix_model").Pix2PixModel(options)

    def run() -> None:
        model.set_input({"A": x, "B": y, "A_paths": "", "B_paths": ""})
        model.optimize_parameters()

    return run


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
        job = Job(self.recipe, folder, device=device, compiled=bool(more.get("compiled")))
        ready = prepare(job, ignore)
        assert isinstance(ready.family, Pix2PixTraining)
        self.family, self.accelerator = ready.family, ready.accelerator
        self.average = Average(self.family.generator, self.recipe.average)
        self.journal = Journal(Checkpoints(folder, 1), ignore)
        self.number = 0

    @contextmanager
    def ready(self) -> Iterator[Callable[[], None]]:
        with Ahead(self.family.draw, 0, self.recipe.steps) as self.batches:
            yield self.run

    def run(self) -> None:
        batch = self.batches.take()
        with chance(self.recipe.seed, self.number, self.family):
            losses = step(self.family, batch, self.number / self.recipe.steps, self.accelerator)
        self.number += 1
        self.average.after(self.number, self.family.generator, last=False)
        self.journal.note(losses)
        if self.number % 20 == 0:
            self.journal.report(self.number, 1, self.batches.waited)


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
            share = ours.batches.waited / sum(wall for wall, _ in taken["ours"])
        begun = time.thread_time()
        for number in range(10):
            ours.family.draw(number)
        draw = (time.thread_time() - begun) / 10
    print(f"U-Net-256, width {width}, batch 1, {arguments.threads} threads, {arguments.rounds} rounds")
    for name, spent in taken.items():
        wall, cpu = (statistics.median(s[k] for s in spent) for k in (0, 1))
        line = f"  {name:7} {wall * 1e3:6.0f} ms wall  {cpu * 1e3:6.0f} ms CPU"
        if name != "ours":
            ratios = [
                statistics.median(a[k] / b[k] for a, b in zip(taken["ours"], spent, strict=True))
                for k in (0, 1)
            ]
            line += f"   ours / {name}: {ratios[0]:.3f} wall, {ratios[1]:.3f} CPU (limit 1)"
        print(line)
    cpu = statistics.median(s[1] for s in taken["ours"])
    print(
        f"  waiting for batches: {share:.2%} of the step (limit 5 %); "
        f"making one: {draw / cpu:.1%} of its CPU time"
    )
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


def on_gpu(rounds: int) -> None:
    """Images a second of the loop: fp32, bf16, bf16 compiled; channels last in all."""
    for batch in (1, 16):
        base = 0.0
        for name, more in (
            ("fp32", {"precision": "fp32"}),
            ("bf16", {"precision": "bf16"}),
            ("bf16, compiled", {"precision": "bf16", "compiled": True}),
        ):
            with tempfile.TemporaryDirectory() as folder:
                ours = Ours(64, Path(folder), device="cuda", batch=batch, **more)
                with ours.ready() as run:
                    for _ in range(10):
                        run()
                    torch.cuda.synchronize()
                    begun = time.perf_counter()
                    for _ in range(rounds * 5):
                        run()
                    torch.cuda.synchronize()
                    rate = batch * rounds * 5 / (time.perf_counter() - begun)
            base = base or rate
            print(f"  batch {batch:2}  {name:15}{rate:8.1f} images/s  {rate / base:.2f} x fp32")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, nargs="+", default=[64, 32])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--peer-repo", type=Path)
    arguments = parser.parse_args()
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
