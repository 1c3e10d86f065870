"""Progress of a run: bars on a terminal, elsewhere a line now and then; on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from artgen.cli.terminal.plain_text import count_noun
from artgen.cli.terminal.progress import LinePrinter, TimeLeft, terminal_console
from artgen.events import (
    CandidateDone,
    CandidateFailed,
    CandidatesAdded,
    Emit,
    Event,
    Note,
    RunStarted,
    StepProgress,
    StepStarted,
)

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINE_EVERY_SECONDS = 5.0


@contextmanager
def show_run_progress() -> Iterator[Emit]:
    """Show a run's events emitted inside, as bars that are removed at the end."""
    console = terminal_console()
    if console is None:
        yield _RunLines()
        return
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=console, transient=True) as progress:
        yield RunBars(progress)


class _RunCounts:
    """Counts the candidates of a run that are done, failed and to come."""

    def __init__(self) -> None:
        self.total = self.done = self._failed = self._drawn = 0
        self._time_left = TimeLeft()

    def add(self, event: Event) -> None:
        match event:
            case RunStarted(_, _, total, done):
                self.total, self.done = total, done
            case CandidatesAdded(count):
                self.total += count
            case StepStarted():
                self._time_left.start()  # not earlier: loading torch would count as work
            case CandidateDone():
                self.done += 1
                self._drawn += 1
            case CandidateFailed():
                self._failed += 1

    def text(self) -> str:
        """Return how many candidates of the run are done, and how many failed."""
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{self.done} of {self.total} candidates{failed}"

    def time_left(self) -> str:
        return self._time_left.text(self._drawn, self.total - self.done - self._failed)


class RunBars:
    """Progress bars on a terminal: one for the run, one for each candidate that is being drawn.

    Args:
        progress: the display that shows them.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress, self._counts = progress, _RunCounts()
        self._run_bar: TaskID | None = None
        self._candidate_bars: dict[int, TaskID] = {}
        self._step_numbers: dict[int, int] = {}

    def __call__(self, event: Event) -> None:
        self._counts.add(event)
        match event:
            case RunStarted(run, _, total, done):
                self._run_bar = self._progress.add_task(run, total=total, completed=done, note=self._note())
            case CandidatesAdded() if self._run_bar is not None:
                self._progress.update(self._run_bar, total=self._counts.total, note=self._note())
            case StepStarted(candidate, step, number, step_count):
                self._step_numbers[candidate] = number
                text = f"candidate {candidate}: {step}"
                if candidate not in self._candidate_bars:
                    self._candidate_bars[candidate] = self._progress.add_task(text, total=step_count, note="")
                note = f"step {number} of {step_count}"
                bar = self._candidate_bars[candidate]
                self._progress.update(bar, description=text, completed=number - 1, note=note)
            case StepProgress(candidate, fraction) if candidate in self._candidate_bars:
                completed = self._step_numbers[candidate] - 1 + fraction
                self._progress.update(self._candidate_bars[candidate], completed=completed)
            case CandidateDone(candidate, _, _) | CandidateFailed(candidate, _):
                self._finish(candidate)
            case Note(message):
                self._progress.console.print(message, markup=False)

    def _finish(self, candidate: int) -> None:
        if candidate in self._candidate_bars:
            self._progress.remove_task(self._candidate_bars.pop(candidate))
        if self._run_bar is not None:
            self._progress.update(self._run_bar, advance=1, note=self._note())

    def _note(self) -> str:
        return f"{self._counts.text()}  {self._counts.time_left()}".rstrip()


class _RunLines:
    def __init__(self) -> None:
        self._counts, self._lines = _RunCounts(), LinePrinter(LINE_EVERY_SECONDS)

    def __call__(self, event: Event) -> None:
        self._counts.add(event)
        match event:
            case RunStarted(run, _, total, done):
                already = f", {done} already drawn" if done else ""
                self._lines.print(f"{run}: {count_noun(total, 'candidate')}{already}")
            case CandidateDone():
                texts = (self._counts.text(), self._counts.time_left())
                self._lines.print_if_due(", ".join(filter(None, texts)))
            case Note(message):
                self._lines.print(message)
