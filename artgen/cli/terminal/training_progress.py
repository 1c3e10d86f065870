"""Events of a training for a person: losses as sparklines on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from artgen.cli.terminal.run_progress import duration
from artgen.events import (
    Emit,
    Event,
    Note,
    SampleSaved,
    TrainingStarted,
    TrainingStep,
    WorkProgress,
    ignore,
)

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 48
LINE_SECONDS, PREPARING_SECONDS = 30.0, 10.0


@contextmanager
def learning() -> Iterator[Emit]:
    """Show the training events emitted inside, on standard error; of many processes only the first's."""
    if os.environ.get("RANK", "0") != "0":
        yield ignore
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _Lines()
        return
    with Live(console=console, refresh_per_second=4) as live:
        yield _Table(live)


def sparkline(values: deque[float]) -> str:
    """A curve in one line of text, from its own least to its own greatest value."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(BARS[min(7, int((value - low) / span * 8))] for value in values)


def _busy(waiting: float) -> str:
    """How much of the time the networks worked, and did not wait for their images."""
    return f"networks busy {max(0.0, 1 - waiting):.0%}"


def _prepared(fraction: float, said: str) -> str:
    """How far what comes before the first step is."""
    return f"{said} ({fraction:.0%})"


class _Clock:
    def __init__(self) -> None:
        self.steps = self.begun = 0
        self.started = time.monotonic()

    def start(self, event: TrainingStarted) -> None:
        self.steps, self.begun, self.started = event.steps, event.step, time.monotonic()

    def left(self, step: int) -> str:
        rate = (time.monotonic() - self.started) / max(1, step - self.begun)
        return f"about {duration(rate * (self.steps - step))} left"


class _Table:
    def __init__(self, live: Live) -> None:
        self._live, self._clock = live, _Clock()
        self._curves: dict[str, deque[float]] = {}
        self._title = self._sample = ""

    def __call__(self, event: Event) -> None:
        match event:
            case TrainingStarted(name, folder, step, steps, images):
                self._clock.start(event)
                self._title = f"{name}: {images:,} images, {folder}"
                self._live.update(self._view(f"step {step:,} of {steps:,}"))
            case TrainingStep(step, losses, rate, waiting):
                for name, value in losses.items():
                    self._curves.setdefault(name, deque(maxlen=WIDTH)).append(value)
                pace = f"{rate:.1f} images/s, {_busy(waiting)}, {self._clock.left(step)}"
                self._live.update(self._view(f"step {step:,} of {self._clock.steps:,}, {pace}"))
            case SampleSaved(_, file):
                self._sample = f"last sample: {file}"
            case WorkProgress(fraction, said):
                self._live.update(self._view(_prepared(fraction, said)))
            case Note(message):
                self._live.console.print(message, markup=False)

    def _view(self, status: str) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_row(Text(self._title))
        table.add_row(Text(status))
        curves = Table.grid(padding=(0, 2))
        for name, values in self._curves.items():
            curves.add_row(Text(name), Text(f"{values[-1]:.4f}"), Text(sparkline(values)))
        table.add_row(curves)
        table.add_row(Text(self._sample))
        return table


class _Lines:
    def __init__(self) -> None:
        self._clock, self._last = _Clock(), 0.0
        self._told = time.monotonic()  # of preparing; nothing is said of what takes a moment

    def __call__(self, event: Event) -> None:
        match event:
            case TrainingStarted(name, folder, step, steps, images):
                self._clock.start(event)
                self._say(f"{name}: {images:,} images, step {step:,} of {steps:,}, in {folder}")
            case TrainingStep(step, losses, rate, waiting) if time.monotonic() - self._last >= LINE_SECONDS:
                shown = " ".join(f"{name} {value:.4f}" for name, value in losses.items())
                self._say(
                    f"step {step:,}: {shown}; {rate:.1f} images/s, {_busy(waiting)}, {self._clock.left(step)}"
                )
                self._last = time.monotonic()
            case SampleSaved(step, file):
                self._say(f"step {step:,}: sample {file}")
            case WorkProgress(fraction, said) if time.monotonic() - self._told >= PREPARING_SECONDS:
                self._say(_prepared(fraction, said))
                self._told = time.monotonic()
            case Note(message):
                self._say(message)

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)
