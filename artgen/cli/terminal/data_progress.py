"""Events of preparing data for a person: one bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from artgen.events import Emit, Event, Note, WorkProgress

if TYPE_CHECKING:
    from rich.progress import Progress

LINE_SECONDS = 15.0


@contextmanager
def preparing(what: str) -> Iterator[Emit]:
    """Show the events emitted inside, on standard error, under the name ``what``."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _Lines(what)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    said = TextColumn("{task.fields[said]}", markup=False)
    with Progress(*columns, said, console=console, transient=True) as progress:
        yield _Bar(progress, what)


class _Bar:
    def __init__(self, progress: Progress, what: str) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=1.0, said="")

    def __call__(self, event: Event) -> None:
        match event:
            case WorkProgress(fraction, said):
                self._progress.update(self._task, completed=fraction, said=said)
            case Note(message):
                self._progress.console.print(message, markup=False)


class _Lines:
    def __init__(self, what: str) -> None:
        self._what, self._last = what, time.monotonic()

    def __call__(self, event: Event) -> None:
        match event:
            case WorkProgress(fraction, said) if time.monotonic() - self._last >= LINE_SECONDS:
                self._last = time.monotonic()
                print(f"{self._what}: {fraction:.0%}, {said}", file=sys.stderr, flush=True)
            case Note(message):
                print(message, file=sys.stderr, flush=True)
