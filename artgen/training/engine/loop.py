"""The training loop: turns, averaging, checkpoints, samples. It knows nothing of any family's losses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from artgen.errors import ArtgenError
from artgen.events import Emit, SampleSaved, TrainingStep
from artgen.imaging.io.files import write_png
from artgen.models.architectures.network import Network
from artgen.seeds import derive
from artgen.training.engine.checkpoints import Checkpoints, Reached
from artgen.training.engine.ema import Average
from artgen.training.engine.family import Family
from artgen.training.engine.fingerprint import Identity
from artgen.training.engine.interruption import Interruption
from artgen.training.engine.prefetch import Ahead
from artgen.training.engine.runtime import any_process, average_gradients, of_every_process
from artgen.training.recipes import TrainingRecipe

if TYPE_CHECKING:
    from accelerate import Accelerator

REPORT_EVERY = 20


def train(
    family: Family,
    recipe: TrainingRecipe,
    *,
    folder: Path,
    identity: Identity,
    accelerator: Accelerator,
    emit: Emit,
    adopt: bool = False,
) -> tuple[dict[str, Network], Reached]:
    """Train to the recipe's last step in ``folder``, going on from its newest checkpoint bit for bit.

    Returns the averaged networks and how far it came.

    Args:
        family: networks, losses, optimisers.
        recipe: how long, and how often to sample and save.
        folder: holds ``checkpoints/`` and ``samples/``.
        identity: of this training; a checkpoint of another is refused unless ``adopt``.
        accelerator: device, processes, precision.
        emit: takes ``TrainingStep`` and ``SampleSaved``.
        adopt: go on from a checkpoint of another recipe of the same networks.

    Raises:
        ArtgenError: a loss is not finite, or a checkpoint cannot be used.
        KeyboardInterrupt: after Ctrl-C, with a checkpoint written.
    """
    averages = {name: Average(cast(Network, family.networks[name]), recipe.average) for name in family.ships}
    checkpoints = Checkpoints(folder, recipe.keep)
    reached = checkpoints.restore(family, averages, identity, adopt=adopt)
    _agree(reached, recipe, checkpoints, accelerator)
    main = accelerator.is_main_process
    journal = Journal(checkpoints, emit if main else lambda event: None)
    clock = time.monotonic() - reached.seconds
    number = reached.step
    if main and number == 0:
        _sample(family, averages, folder, number, emit)
    with Interruption() as interruption, Ahead(family.draw, number, recipe.steps) as batches:
        while number < recipe.steps:
            batch = batches.take()
            with chance(recipe.seed, number, family):
                losses = step(family, batch, number / recipe.steps, accelerator, recipe.clip)
            number += 1
            last = number == recipe.steps
            for name, average in averages.items():
                average.after(number, cast(Network, family.networks[name]), last=last)
            stop = any_process(interruption.asked, accelerator)
            save = last or stop or number % recipe.checkpoint_every == 0
            journal.note(losses)
            if save or number % REPORT_EVERY == 0:
                with together(accelerator):
                    journal.report(number, family.batch * accelerator.num_processes, batches.waited)
            if main and (last or number % recipe.sample_every == 0):
                _sample(family, averages, folder, number, emit)
            if save:
                reached = replace(reached, step=number, seconds=time.monotonic() - clock)
                extra = of_every_process(family.extra_state(), accelerator)
                with together(accelerator):
                    if main:
                        checkpoints.save(family, averages, reached, extra)
            if stop and not last:
                raise KeyboardInterrupt
    return {name: average.network for name, average in averages.items()}, reached


def step(
    family: Family, batch: Any, done: float, accelerator: Accelerator, clip: float | None = None
) -> dict[str, Tensor]:
    """One step: each network's turn in the order the family gives; returns what to show.

    Args:
        family: networks, losses, optimisers.
        batch: what its ``draw`` gave.
        done: share of the training done.
        accelerator: autocast, and the gradients of other processes.
        clip: largest norm of a network's gradient, if any.
    """
    rate = family.rate(done)
    shown: dict[str, Tensor] = {}
    turns = family.turns(batch, done)
    while True:
        with accelerator.autocast():
            turn = next(turns, None)
        if turn is None:
            return shown
        optimiser = family.optimisers[turn.optimiser]
        parameters: list[nn.Parameter] = []
        for group in optimiser.param_groups:
            group["lr"] = group.setdefault("base", group["lr"]) * rate
            parameters += group["params"]
        optimiser.zero_grad(set_to_none=True)
        turn.loss.backward()
        average_gradients(parameters, accelerator)
        if clip is not None:
            nn.utils.clip_grad_norm_(parameters, clip)
        optimiser.step()
        shown |= turn.losses


def _agree(
    reached: Reached, recipe: TrainingRecipe, checkpoints: Checkpoints, accelerator: Accelerator
) -> None:
    """Stop before a step is wasted: nothing left to do, or processes that found different checkpoints."""
    if reached.step > recipe.steps:
        found = f"{recipe.steps:,}, and step {reached.step:,} is reached"
        raise ArtgenError("steps", found, "write more steps, or begin in another --folder")
    steps = of_every_process(reached.step, accelerator)
    if len(set(steps)) > 1:
        right = "the machines of one training share its folder"
        raise ArtgenError(str(checkpoints.folder), f"processes found checkpoints of steps {steps}", right)


@contextmanager
def together(accelerator: Accelerator) -> Iterator[None]:
    """What fails in one process stops all: the others would wait for it for ever.

    Raises:
        ArtgenError: what was raised inside, or that another process has stopped.
    """
    problem: ArtgenError | None = None
    try:
        yield
    except ArtgenError as error:
        problem = error
    if any_process(problem is not None, accelerator):
        raise problem or ArtgenError("training", "another process has stopped", "see what it says")


@contextmanager
def chance(seed: int, number: int, family: Family) -> Iterator[None]:
    """Dropout draws from torch's global stream; here it is the step's own, so that a resume repeats it."""
    devices = [family.place.device] if family.place.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(derive(seed, number, "step", str(family.place.process)))
        yield


class Journal:
    """Losses between two reports: their means, and a stop when one is not a number.

    Losses are read back every few steps only: each reading would make a GPU wait.

    Args:
        checkpoints: what a bad loss is advised to go back to.
        emit: takes ``TrainingStep``.
    """

    def __init__(self, checkpoints: Checkpoints, emit: Emit) -> None:
        self._checkpoints, self._emit = checkpoints, emit
        self._losses: dict[str, list[Tensor]] = {}
        self._count, self._clock, self._waited = 0, time.monotonic(), 0.0

    def note(self, losses: dict[str, Tensor]) -> None:
        """Keep the losses of one step."""
        self._count += 1
        for name, value in losses.items():
            self._losses.setdefault(name, []).append(value)

    def report(self, number: int, images: int, waited: float) -> None:
        """Tell the means up to step ``number``; ``images`` a step, ``waited`` seconds for batches in all.

        Raises:
            ArtgenError: a loss is not finite.
        """
        means = {}
        for name, values in self._losses.items():
            numbers = torch.stack(values).float()
            if not bool(torch.isfinite(numbers).all()):
                first = number - len(values) + int((~torch.isfinite(numbers)).nonzero()[0]) + 1
                raise ArtgenError(
                    f"step {first:,}", f"the loss {name!r} is not a number", self._checkpoints.advice()
                )
            means[name] = float(numbers.mean())
        seconds = max(time.monotonic() - self._clock, 1e-9)
        share = (waited - self._waited) / seconds
        self._emit(TrainingStep(number, means, images * self._count / seconds, share))
        self._losses, self._count, self._clock, self._waited = {}, 0, time.monotonic(), waited


@torch.inference_mode()
def _sample(family: Family, averages: dict[str, Average], folder: Path, number: int, emit: Emit) -> None:
    file = folder / "samples" / f"{number:08d}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    picture = family.preview({name: average.network for name, average in averages.items()})
    write_png(file, picture, {})
    emit(SampleSaved(number, str(file)))
