"""The training loop: devices, averaging, checkpoints, samples. It knows nothing of any family's losses."""

from __future__ import annotations

import copy
import io
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from artgen.errors import ArtgenError
from artgen.events import Emit, SampleSaved, TrainingStep
from artgen.imaging.files import atomic_write, write_png

REPORT_EVERY = 20


class Family(Protocol):
    """What a family of models brings to the loop."""

    optimisers: dict[str, torch.optim.Adam]

    @property
    def modules(self) -> dict[str, nn.Module]:
        """Networks by name; ``generator`` is averaged and shipped."""

    def step(self, number: int) -> dict[str, float]:
        """One update; all its randomness is keyed by ``number``. Returns losses by name."""

    def extra_state(self) -> dict[str, Any]:
        """Whatever else an exact resume needs."""

    def load_extra_state(self, state: Mapping[str, Any]) -> None:
        """The inverse."""


class Average:
    """The exponential moving average of a network's weights, ramped up so that early steps are forgotten."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Move towards ``network`` by one step."""
        keep = min(self.decay, (1 + step) / (10 + step))
        for mean, value in zip(self.network.parameters(), network.parameters(), strict=True):
            mean.lerp_(value, 1 - keep)


def train(
    family: Family,
    *,
    steps: int,
    folder: Path,
    identity: str,
    average: float,
    checkpoint_every: int,
    sample_every: int,
    sample: Callable[[nn.Module], Tensor],
    emit: Emit,
) -> tuple[nn.Module, float]:
    """Train to ``steps`` in ``folder``, resuming from its checkpoint bit for bit.

    Returns the averaged generator and the seconds spent, over all sittings.

    Args:
        family: networks, losses, optimisers.
        steps: where to stop.
        folder: holds ``checkpoint.pt`` and ``samples/``.
        identity: recipe and data; a checkpoint of another identity is refused, not mixed.
        average: EMA decay.
        checkpoint_every: steps between checkpoints; one more is written on an interruption.
        sample_every: steps between sample grids.
        sample: draws a grid ``(3, H, W)`` with the averaged generator.
        emit: takes ``TrainingStep`` and ``SampleSaved``.
    """
    mean = Average(family.modules["generator"], average)
    checkpoint = folder / "checkpoint.pt"
    start, spent = _restore(checkpoint, family, mean, identity)
    sums: dict[str, list[float]] = {}
    begun = clock = time.monotonic()
    number = start
    with _Interruption() as interruption:
        while number < steps:
            for name, value in family.step(number).items():
                sums.setdefault(name, []).append(value)
            _check_finite(sums, number)
            mean.update(family.modules["generator"], number)
            number += 1
            if number % REPORT_EVERY == 0 or number == steps:
                seconds, clock = time.monotonic() - clock, time.monotonic()
                losses = {name: sum(values) / len(values) for name, values in sums.items()}
                emit(TrainingStep(number, losses, REPORT_EVERY / max(seconds, 1e-9)))
                sums = {}
            if number % sample_every == 0 or number == steps:
                file = folder / "samples" / f"{number:07d}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                write_png(file, sample(mean.network), {})
                emit(SampleSaved(number, str(file)))
            if number % checkpoint_every == 0 or number == steps or interruption.asked:
                _save(checkpoint, family, mean, identity, number, spent + time.monotonic() - begun)
            if interruption.asked:
                raise KeyboardInterrupt
    return mean.network, spent + time.monotonic() - begun


class _Interruption:
    """Ctrl-C during a step is heard after it: half a step saved could not be resumed bit for bit.

    A second Ctrl-C does not wait.
    """

    def __init__(self) -> None:
        self.asked = False
        self._here = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> _Interruption:
        if self._here:
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        if self._here:
            signal.signal(signal.SIGINT, self._before)

    def _ask(self, *_: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def checkpoint_step(folder: Path) -> int:
    """The step a training in ``folder`` has reached, 0 when there is none."""
    file = folder / "checkpoint.pt"
    return int(_read(file)["step"]) if file.exists() else 0


def _check_finite(sums: Mapping[str, list[float]], number: int) -> None:
    for name, values in sums.items():
        if not -1e9 < values[-1] < 1e9:
            raise ArtgenError(
                f"step {number}",
                f"the loss {name!r} is {values[-1]}",
                "begin again in another --folder with a lower `rate` or a longer `warm_up`",
            )


def _save(file: Path, family: Family, mean: Average, identity: str, step: int, seconds: float) -> None:
    state = {
        "identity": identity,
        "step": step,
        "seconds": seconds,
        "modules": {name: module.state_dict() for name, module in family.modules.items()},
        "optimisers": {name: optimiser.state_dict() for name, optimiser in family.optimisers.items()},
        "average": mean.network.state_dict(),
        "extra": family.extra_state(),
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    atomic_write(file, buffer.getvalue())


def _restore(file: Path, family: Family, mean: Average, identity: str) -> tuple[int, float]:
    if not file.exists():
        return 0, 0.0
    state = _read(file)
    if state["identity"] != identity:
        raise ArtgenError(
            str(file),
            "belongs to another training recipe or other images",
            "give --folder another folder, or delete this one to begin again",
        )
    for name, module in family.modules.items():
        module.load_state_dict(state["modules"][name])
    for name, optimiser in family.optimisers.items():
        optimiser.load_state_dict(state["optimisers"][name])
    mean.network.load_state_dict(state["average"])
    family.load_extra_state(state["extra"])
    return int(state["step"]), float(state["seconds"])


def _read(file: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(file, weights_only=True, map_location="cpu")
        return state
    except Exception as error:
        raise ArtgenError(
            str(file), f"not a checkpoint of artgen: {error}", "delete it to begin again"
        ) from None
