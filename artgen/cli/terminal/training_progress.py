"""Progress of a training: losses as sparklines on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from artgen.cli.terminal.progress import LinePrinter, TimeLeft, terminal_console
from artgen.events import (
    Emit,
    Event,
    Note,
    SampleSaved,
    TrainingStarted,
    TrainingStep,
    WorkProgress,
    ignore_event,
)

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

SPARKLINE_BARS = "▁▂▃▄▅▆▇█"
SPARKLINE_WIDTH_CHARACTERS = 48
LINE_EVERY_SECONDS, PREPARATION_LINE_SECONDS = 30.0, 10.0


@contextmanager
def show_training_progress(preparation_seconds: float = PREPARATION_LINE_SECONDS) -> Iterator[Emit]:
    """Show the training events emitted inside, on standard error; of several processes only the first shows.

    Args:
        preparation_seconds: the shortest time between two lines about what comes before the first step.
    """
    if os.environ.get("RANK", "0") != "0":
        yield ignore_event
        return
    console = terminal_console()
    if console is None:
        yield _TrainingLines(preparation_seconds)
        return
    from rich.live import Live

    with Live(console=console, refresh_per_second=4) as live:
        yield TrainingTable(live)


def sparkline(values: deque[float]) -> str:
    """Draw a loss's curve in one line of text, from its own lowest to its own highest value."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(SPARKLINE_BARS[min(7, int((value - low) / span * 8))] for value in values)


class _TrainingPace:
    """Describes how fast a training advances."""

    def __init__(self) -> None:
        self.steps = self._first_step = 0
        self._time_left = TimeLeft()

    def start(self, event: TrainingStarted) -> None:
        self.steps, self._first_step = event.steps, event.step
        self._time_left.start()

    def text(self, step: int, images_per_second: float, waiting_share: float) -> str:
        """Return the images per second, how busy the networks were, and the time left."""
        time_left = self._time_left.text(max(1, step - self._first_step), self.steps - step)
        busy = f"networks busy {max(0.0, 1 - waiting_share):.0%}"
        return ", ".join(filter(None, [f"{images_per_second:.1f} images/s", busy, time_left]))


class TrainingTable:
    """A training's table on a terminal: title, status, a sparkline for each loss, the last sample.

    Args:
        live: the display that shows it.
    """

    def __init__(self, live: Live) -> None:
        self._live, self._pace = live, _TrainingPace()
        self._curves: dict[str, deque[float]] = {}
        self._title = self._sample = ""

    def __call__(self, event: Event) -> None:
        """Update the table of a training with an event."""
        match event:
            case TrainingStarted(name, folder, step, steps, images):
                self._pace.start(event)
                self._title = f"{name}: {images:,} images, {folder}"
                self._live.update(self._table(f"step {step:,} of {steps:,}"))
            case TrainingStep(step, losses, rate, waiting):
                for name, value in losses.items():
                    self._curves.setdefault(name, deque(maxlen=SPARKLINE_WIDTH_CHARACTERS)).append(value)
                pace = self._pace.text(step, rate, waiting)
                self._live.update(self._table(f"step {step:,} of {self._pace.steps:,}, {pace}"))
            case SampleSaved(_, file):
                self._sample = f"last sample: {file}"
            case WorkProgress(fraction, status):
                self._live.update(self._table(f"{status} ({fraction:.0%})"))
            case Note(message):
                self._live.console.print(message, markup=False)

    def _table(self, status: str) -> RenderableType:
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


class _TrainingLines:
    def __init__(self, preparation_seconds: float) -> None:
        self._pace = _TrainingPace()
        self._steps = LinePrinter(LINE_EVERY_SECONDS, first_now=True)
        self._preparation = LinePrinter(preparation_seconds)  # a short preparation is not reported

    def __call__(self, event: Event) -> None:
        match event:
            case TrainingStarted(name, folder, step, steps, images):
                self._pace.start(event)
                self._steps.print(f"{name}: {images:,} images, step {step:,} of {steps:,}, in {folder}")
            case TrainingStep(step, losses, rate, waiting):
                values = " ".join(f"{name} {value:.4f}" for name, value in losses.items())
                self._steps.print_if_due(f"step {step:,}: {values}; {self._pace.text(step, rate, waiting)}")
            case SampleSaved(step, file):
                self._steps.print(f"step {step:,}: sample {file}")
            case WorkProgress(fraction, status):
                self._preparation.print_if_due(f"{status} ({fraction:.0%})")
            case Note(message):
                self._steps.print(message)
