"""Events of a run for a person: bars on a terminal, now and then a line elsewhere; on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from artgen.events import (
    CandidateDone,
    CandidateFailed,
    Emit,
    Event,
    MoreAsked,
    Note,
    RunStarted,
    StepProgress,
    StepStarted,
)

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINE_SECONDS = 5.0


@contextmanager
def shown() -> Iterator[Emit]:
    """Show the events emitted inside. The bars are gone afterwards."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _Lines()
        return
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bars(progress)


class _Clock:
    """How much is done, and how long the rest will take."""

    def __init__(self) -> None:
        self.total = self.done = self.failed = self._made = 0
        self._began: float | None = None

    def start(self, total: int, done: int) -> None:
        self.total, self.done = total, done

    def more(self, count: int) -> None:
        self.total += count

    def step(self) -> None:
        # Not before the first step: loading torch would count as work.
        self._began = self._began or time.monotonic()

    def count(self) -> None:
        self.done += 1
        self._made += 1

    def fail(self) -> None:
        self.failed += 1

    def told(self) -> str:
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.done} of {self.total} candidates{failed}"

    def left(self) -> str:
        open_ = self.total - self.done - self.failed
        if not self._made or self._began is None or open_ <= 0:
            return ""
        seconds = (time.monotonic() - self._began) / self._made * open_
        return f"about {duration(seconds)} left"


class _Bars:
    def __init__(self, progress: Progress) -> None:
        self._progress, self._clock = progress, _Clock()
        self._whole: TaskID | None = None
        self._rows: dict[int, TaskID] = {}
        self._steps: dict[int, tuple[int, int]] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted(run, _, total, done):
                self._clock.start(total, done)
                self._whole = self._progress.add_task(run, total=total, completed=done, note=self._note())
            case MoreAsked(count) if self._whole is not None:
                self._clock.more(count)
                self._progress.update(self._whole, total=self._clock.total, note=self._note())
            case StepStarted(candidate, step, number, of):
                self._clock.step()
                self._steps[candidate] = number, of
                text = f"candidate {candidate}: {step}"
                if candidate not in self._rows:
                    self._rows[candidate] = self._progress.add_task(text, total=of, note="")
                note = f"step {number} of {of}"
                row = self._rows[candidate]
                self._progress.update(row, description=text, completed=number - 1, note=note)
            case StepProgress(candidate, fraction) if candidate in self._rows:
                number, _ = self._steps[candidate]
                self._progress.update(self._rows[candidate], completed=number - 1 + fraction)
            case CandidateDone(candidate, _, _):
                self._clock.count()
                self._close(candidate)
            case CandidateFailed(candidate, _):
                self._clock.fail()
                self._close(candidate)
            case Note(message):
                self._progress.console.print(message, markup=False)

    def _close(self, candidate: int) -> None:
        if candidate in self._rows:
            self._progress.remove_task(self._rows.pop(candidate))
        if self._whole is not None:
            self._progress.update(self._whole, advance=1, note=self._note())

    def _note(self) -> str:
        return f"{self._clock.told()}  {self._clock.left()}".rstrip()


class _Lines:
    def __init__(self) -> None:
        self._clock, self._last = _Clock(), time.monotonic()

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted(run, _, total, done):
                self._clock.start(total, done)
                there = f", {done} there already" if done else ""
                self._say(f"{run}: {total} candidate{'' if total == 1 else 's'}{there}")
            case MoreAsked(count):
                self._clock.more(count)
            case StepStarted():
                self._clock.step()
            case CandidateDone():
                self._clock.count()
                if time.monotonic() - self._last >= LINE_SECONDS:
                    self._say(", ".join(filter(None, [self._clock.told(), self._clock.left()])))
            case CandidateFailed():
                self._clock.fail()
            case Note(message):
                self._say(message)

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        print(text, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """A length of time in words: ``40 s``, ``3 min``, ``2 h 10 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
