"""Progress of one task, such as preparing data: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from artgen.cli.terminal.progress import LinePrinter, terminal_console
from artgen.events import Emit, Event, Note, WorkProgress

if TYPE_CHECKING:
    from rich.progress import Progress

LINE_EVERY_SECONDS = 15.0


@contextmanager
def show_work_progress(title: str) -> Iterator[Emit]:
    """Show the events emitted inside, on standard error, under a title."""
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
        self._title, self._lines = title, LinePrinter(LINE_EVERY_SECONDS)

    def __call__(self, event: Event) -> None:
        match event:
            case WorkProgress(fraction, status):
                self._lines.print_if_due(f"{self._title}: {fraction:.0%}, {status}")
            case Note(message):
                self._lines.print(message)
