"""The training loop of all model families: optimiser steps, averages, checkpoints, samples, reports."""

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
from artgen.seeds import derive_key
from artgen.training.engine.checkpoints import Checkpoints, TrainingProgress
from artgen.training.engine.ema import AveragedNetwork
from artgen.training.engine.family import ModelFamily
from artgen.training.engine.fingerprint import TrainingIdentity
from artgen.training.engine.interruption import StopSignals
from artgen.training.engine.prefetch import BatchPrefetcher
from artgen.training.engine.runtime import average_gradients, gather_from_processes, is_true_in_any_process
from artgen.training.recipes import TrainingRecipe

if TYPE_CHECKING:
    from accelerate import Accelerator

REPORT_EVERY_STEPS = 20


def train(
    family: ModelFamily,
    recipe: TrainingRecipe,
    *,
    folder: Path,
    identity: TrainingIdentity,
    accelerator: Accelerator,
    emit: Emit,
    adopt: bool = False,
) -> tuple[dict[str, Network], TrainingProgress]:
    """Train to the recipe's last step, resuming bit for bit from the newest checkpoint in ``folder``.

    Args:
        family: networks, losses, optimisers.
        recipe: number of steps, and intervals of samples and checkpoints.
        folder: the training's folder, for ``checkpoints/`` and ``samples/``.
        identity: identity of this training; a checkpoint of another one is refused unless ``adopt``.
        accelerator: device, processes, precision.
        emit: receives ``TrainingStep`` and ``SampleSaved``.
        adopt: resume from a checkpoint of another recipe with the same networks.

    Returns:
        The averaged networks by name, and how far the training has come.

    Raises:
        ArtgenError: a loss is not finite, or a checkpoint cannot be used.
        KeyboardInterrupt: Ctrl-C was pressed; a checkpoint has been written.
    """
    averages = {
        name: AveragedNetwork(cast(Network, family.networks[name]), recipe.average)
        for name in family.export_suffixes
    }
    checkpoints = Checkpoints(folder, recipe.keep)
    progress = checkpoints.restore(family, averages, identity, adopt=adopt)
    _check_progress(progress, recipe, checkpoints, accelerator)
    is_main = accelerator.is_main_process
    reporter = LossReporter(checkpoints, emit if is_main else lambda event: None)
    start_time = time.monotonic() - progress.seconds
    step = progress.step
    if is_main and step == 0:
        _save_samples(family, averages, folder, step, emit)
    with StopSignals() as signals, BatchPrefetcher(family.draw_batch, step, recipe.steps) as batches:
        while step < recipe.steps:
            batch = batches.next_batch()
            with seeded_dropout(recipe.seed, step, family):
                losses = run_step(family, batch, step / recipe.steps, accelerator, recipe.clip)
            step += 1
            is_last = step == recipe.steps
            for name, average in averages.items():
                average.update(step, cast(Network, family.networks[name]), is_last=is_last)
            must_stop = is_true_in_any_process(signals.stop_requested, accelerator)
            must_save = is_last or must_stop or step % recipe.checkpoint_every == 0
            reporter.add(losses)
            if must_save or step % REPORT_EVERY_STEPS == 0:
                with fail_in_all_processes(accelerator):
                    reporter.report(
                        step, family.batch_size * accelerator.num_processes, batches.waiting_seconds
                    )
            if is_main and (is_last or step % recipe.sample_every == 0):
                _save_samples(family, averages, folder, step, emit)
            if must_save:
                progress = replace(progress, step=step, seconds=time.monotonic() - start_time)
                extra_states = gather_from_processes(family.extra_state(), accelerator)
                with fail_in_all_processes(accelerator):
                    if is_main:
                        checkpoints.save(family, averages, progress, extra_states)
            if must_stop and not is_last:
                raise KeyboardInterrupt
    return {name: average.network for name, average in averages.items()}, progress


def run_step(
    family: ModelFamily, batch: Any, progress: float, accelerator: Accelerator, max_norm: float | None = None
) -> dict[str, Tensor]:
    """Run one training step: every optimiser step of the family, in its order.

    Args:
        family: networks, losses, optimisers.
        batch: what ``ModelFamily.draw_batch`` returned.
        progress: share of the training that is done, 0 to below 1.
        accelerator: autocast, and the gradients of other processes.
        max_norm: norm to which the gradients of each optimiser are clipped, if any.

    Returns:
        The losses to report, detached scalars by name.
    """
    learning_rate_factor = family.learning_rate_factor(progress)
    losses: dict[str, Tensor] = {}
    optimiser_steps = family.optimiser_steps(batch, progress)
    while True:
        with accelerator.autocast():
            optimiser_step = next(optimiser_steps, None)
        if optimiser_step is None:
            return losses
        optimiser = family.optimisers[optimiser_step.optimiser_name]
        parameters: list[nn.Parameter] = []
        for group in optimiser.param_groups:
            group["lr"] = group.setdefault("base", group["lr"]) * learning_rate_factor
            parameters += group["params"]
        optimiser.zero_grad(set_to_none=True)
        optimiser_step.loss.backward()
        average_gradients(parameters, accelerator)
        if max_norm is not None:
            nn.utils.clip_grad_norm_(parameters, max_norm)
        optimiser.step()
        losses |= optimiser_step.reported_losses


def _check_progress(
    progress: TrainingProgress, recipe: TrainingRecipe, checkpoints: Checkpoints, accelerator: Accelerator
) -> None:
    """Raise an error if the checkpoint is past the last step or differs between processes."""
    if progress.step > recipe.steps:
        problem = f"{recipe.steps:,}, and step {progress.step:,} is reached"
        raise ArtgenError("steps", problem, "write more steps, or start in another --folder")
    steps = gather_from_processes(progress.step, accelerator)
    if len(set(steps)) > 1:
        expected = "the machines of one training share its folder"
        raise ArtgenError(str(checkpoints.folder), f"processes found checkpoints of steps {steps}", expected)


@contextmanager
def fail_in_all_processes(accelerator: Accelerator) -> Iterator[None]:
    """Stop all processes when the block fails in one of them.

    The others would otherwise wait for it for ever.

    Raises:
        ArtgenError: the error raised in the block, or that another process has stopped.
    """
    own_error: ArtgenError | None = None
    try:
        yield
    except ArtgenError as error:
        own_error = error
    if is_true_in_any_process(own_error is not None, accelerator):
        raise own_error or ArtgenError("training", "another process has stopped", "see its message")


@contextmanager
def seeded_dropout(seed: int, step: int, family: ModelFamily) -> Iterator[None]:
    """Seed dropout by the step, so that a resumed step repeats it.

    Dropout draws from torch's global generator, whose state is restored afterwards.
    """
    devices = [family.context.device] if family.context.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(derive_key(seed, step, "step", str(family.context.process_index)))
        yield


class LossReporter:
    """Collects the losses of every step, and reports their means every few steps.

    Losses are read from the GPU only for a report, for each reading makes it wait.

    Args:
        checkpoints: the checkpoints, to name the last good one when a loss is not finite.
        emit: receives ``TrainingStep``.
    """

    def __init__(self, checkpoints: Checkpoints, emit: Emit) -> None:
        self._checkpoints, self._emit = checkpoints, emit
        self._losses: dict[str, list[Tensor]] = {}
        self._step_count, self._last_report, self._reported_waiting = 0, time.monotonic(), 0.0

    def add(self, losses: dict[str, Tensor]) -> None:
        """Add the losses of one step."""
        self._step_count += 1
        for name, loss in losses.items():
            self._losses.setdefault(name, []).append(loss)

    def report(self, step: int, images_per_step: int, waiting_seconds: float) -> None:
        """Report the mean losses since the last report.

        Args:
            step: number of steps done.
            images_per_step: rows of a batch, over all processes.
            waiting_seconds: time spent waiting for batches since the start.

        Raises:
            ArtgenError: a loss is not finite.
        """
        means = {}
        for name, losses in self._losses.items():
            values = torch.stack(losses).float()
            if not bool(torch.isfinite(values).all()):
                first_bad_step = step - len(losses) + int((~torch.isfinite(values)).nonzero()[0]) + 1
                raise ArtgenError(
                    f"step {first_bad_step:,}",
                    f"the loss {name!r} is not a number",
                    self._checkpoints.advice_after_bad_loss(),
                )
            means[name] = float(values.mean())
        seconds = max(time.monotonic() - self._last_report, 1e-9)
        images_per_second = images_per_step * self._step_count / seconds
        waiting_share = (waiting_seconds - self._reported_waiting) / seconds
        self._emit(TrainingStep(step, means, images_per_second, waiting_share))
        self._losses, self._step_count = {}, 0
        self._last_report, self._reported_waiting = time.monotonic(), waiting_seconds


@torch.inference_mode()
def _save_samples(
    family: ModelFamily, averages: dict[str, AveragedNetwork], folder: Path, step: int, emit: Emit
) -> None:
    file = folder / "samples" / f"{step:08d}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    image = family.sample_grid({name: average.network for name, average in averages.items()})
    write_png(file, image, {})
    emit(SampleSaved(step, str(file)))
