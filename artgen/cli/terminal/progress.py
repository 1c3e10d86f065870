"""Progress of one task, as a bar or as lines; and what the displays of runs and trainings share with it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from artgen.events import Emit, Event, Note, WorkProgress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

WORK_LINE_EVERY_SECONDS = 15.0


def terminal_console() -> Console | None:
    """Return a console on standard error, or None where it is not a terminal that can redraw lines."""
    from rich.console import Console

    console = Console(file=sys.__stderr__, highlight=False)
    return None if not console.is_terminal or console.is_dumb_terminal else console


class LinePrinter:
    """Prints progress lines on standard error, where no terminal shows bars.

    Args:
        interval_seconds: the shortest time between two lines of ``print_if_due``.
        first_now: whether the first line of ``print_if_due`` is due at once.
    """

    def __init__(self, interval_seconds: float, *, first_now: bool = False) -> None:
        self._interval_seconds = interval_seconds
        self._last = -interval_seconds if first_now else time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether the interval has passed since the last progress line of ``print_if_due``."""
        return time.monotonic() - self._last >= self._interval_seconds

    def print(self, text: str) -> None:
        """Print a progress line at once."""
        print(text, file=sys.stderr, flush=True)

    def print_if_due(self, text: str) -> None:
        """Print a progress line unless the last one is too recent."""
        if self.is_due:
            self.print(text)
            self._last = time.monotonic()


class TimeLeft:
    """Estimates the remaining time of a task from its pace so far."""

    def __init__(self) -> None:
        self._started: float | None = None

    def start(self) -> None:
        """Start the clock of the time left; later calls change nothing."""
        self._started = self._started or time.monotonic()

    def text(self, finished: int, remaining: int) -> str:
        """Return such as ``about 3 min left``, or nothing while the pace is not known yet.

        Args:
            finished: parts finished since the start.
            remaining: parts to come.
        """
        if self._started is None or finished <= 0 or remaining <= 0:
            return ""
        seconds = (time.monotonic() - self._started) / finished * remaining
        return f"about {format_duration(seconds)} left"


def format_duration(seconds: float) -> str:
    """Write a length of time for a terminal: ``40 s``, ``3 min``, ``2 h 10 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def show_work_progress(title: str) -> Iterator[Emit]:
    """Show the progress events of one task emitted inside, on standard error, under a title."""
    console = terminal_console()
    if console is None:
        yield _WorkLines(title)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    status = TextColumn("{task.fields[status]}", markup=False)
    with Progress(*columns, status, console=console, transient=True) as progress:
        yield _WorkBar(progress, title)


class _WorkBar:
    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=1.0, status="")

    def __call__(self, event: Event) -> None:
        match event:
            case WorkProgress(fraction, status):
                self._progress.update(self._task, completed=fraction, status=status)
            case Note(message):
                self._progress.console.print(message, markup=False)


class _WorkLines:
    def __init__(self, title: str) -> None:
        self._title, self._lines = title, LinePrinter(WORK_LINE_EVERY_SECONDS)

    def __call__(self, event: Event) -> None:
        match event:
            case WorkProgress(fraction, status):
                self._lines.print_if_due(f"{self._title}: {fraction:.0%}, {status}")
            case Note(message):
                self._lines.print(message)
