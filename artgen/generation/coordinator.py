"""A run from beginning to end: what is missing is handed to workers, what is finished is recorded.

This process never imports torch; it is the only one that adds candidates to the database.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.events import Emit, Note, RunFinished, RunStarted
from artgen.generation.existing import clean, missing, renew_captions, tell_changes
from artgen.generation.make_candidate import Job
from artgen.generation.scheduler import Outcome, Shift
from artgen.generation.worker import Order
from artgen.locks import BusyError, held
from artgen.recipe import Lineage, Recipe, draw
from artgen.runs.candidate import FIRST_VARIATION, ranges
from artgen.runs.input_files import fingerprint, name_of
from artgen.runs.lookup import ROOT, is_run
from artgen.runs.stages import FOLDER as STAGE_CACHE
from artgen.runs.store import RECIPE_FOLDER, Run, lay_out


@dataclass(frozen=True)
class Wish:
    """What is asked of a run.

    Args:
        candidates: make candidates 1 to this number; None takes the recipe's.
        only: make just these instead; none but the variations that are asked for when it is empty.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        preview: smaller and faster, into a folder of its own.
        workers: processes; None takes one per core, or one on a GPU.
        root: the folder that holds the runs.
    """

    candidates: int | None = None
    only: Sequence[int] | None = None
    device: str = "auto"
    preview: bool = False
    workers: int | None = None
    root: Path = ROOT


def run_folder(recipe: Recipe, root: Path, *, preview: bool = False) -> Path:
    """Where the run of a recipe is kept: another recipe, seed or override has another folder."""
    ending = "-preview" if preview else ""
    return root / f"{recipe.path.stem}-{recipe.digest()[:8]}{ending}"


def sample(recipe: Recipe, wish: Wish, emit: Emit, run: Run | None = None) -> Outcome:
    """Make the candidates that are wished for and not there yet, and the variations that are asked for.

    A candidate that fails does not keep the others from being made. Variations that are asked for
    meanwhile, by whatever process, are made before it returns.

    Args:
        recipe: what is run.
        wish: which candidates, and how.
        emit: takes every event.
        run: of the recipe, where the caller has it open; None opens it, or begins it.

    Raises:
        ArtgenError: an input is missing, a variation is not known, the device is not there, or the disk
            is full.
        BusyError: another process makes candidates of this run.
        WorkerBugError: a worker met a bug.
    """
    began = time.monotonic()
    folder = run.folder if run else run_folder(recipe, wish.root, preview=wish.preview)
    numbers, outcome = wish.only or (), Outcome(folder)
    with contextlib.nullcontext(run) if run else _opened(folder, recipe, numbers) as run:
        _refuse_unknown(folder, numbers, run.variations())
        _session(run, recipe, wish, outcome, emit)
        # Who asked for some before the lock was free could not know that nobody would look again.
        with contextlib.suppress(BusyError):
            while {lineage.number for lineage in run.waiting()} - outcome.failed.keys():
                _session(run, recipe, replace(wish, only=()), outcome, emit)
        outcome.candidates = run.candidates()
    outcome.seconds = time.monotonic() - began
    emit(RunFinished(str(folder), len(outcome.made), outcome.seconds))
    return outcome


def _opened(folder: Path, recipe: Recipe, numbers: Sequence[int]) -> Run:
    """Open the run of a recipe, or begin it unless numbers of variations are asked for: it has none."""
    if is_run(folder):
        return Run.open(folder)
    _refuse_unknown(folder, numbers, ())
    return Run.create(folder, recipe)


def _session(run: Run, recipe: Recipe, wish: Wish, outcome: Outcome, emit: Emit) -> None:
    """Hold the run, and make what is missing."""
    folder = run.folder
    with held(folder):
        clean(folder)
        lay_out(folder, recipe)
        job = Job(folder, recipe, fingerprint(_files(recipe), recipe.folder))
        run.remember(RECIPE_FOLDER, name_of(recipe.folder, folder))
        tell_changes(run, job, emit)
        renew_captions(run, recipe)
        _withdraw(run, recipe, outcome, emit)
        wanted = _wanted(run, recipe, wish)
        lacking = missing(run, job, wanted)
        emit(RunStarted(run.name, str(folder), len(wanted), len(wanted) - len(lacking)))
        if lacking:
            order = Order(job, wish.device, wish.preview, folder.parent / STAGE_CACHE)
            Shift(run, order, lacking, wish.workers, outcome, emit).work()


def _wanted(run: Run, recipe: Recipe, wish: Wish) -> list[Lineage]:
    """What is asked of a run, and the variations that wait; of a whole run also those that it had."""
    if wish.only is None:
        rest = [Lineage(number) for number in range(1, (wish.candidates or recipe.candidates) + 1)]
        rest += run.variations().values()
    else:
        rest = run.lineages(wish.only)
    return list(dict.fromkeys([*run.waiting(), *rest]))


def _withdraw(run: Run, recipe: Recipe, outcome: Outcome, emit: Emit) -> None:
    """Ask no more for variations that can never be made: the page that asked knows nothing of steps."""
    known = run.variations()
    for number, parent in run.queued():
        try:
            if number not in known:
                found = f"a variation of {parent}, of which it is not known any more what it varies"
                raise ArtgenError(f"variation {number}", found, "vary another candidate")
            draw(recipe, recipe.seed, known[number])
        except ArtgenError as error:
            run.withdraw(number)
            if str(error) not in map(str, outcome.failed.values()):
                emit(Note(str(error)))
            outcome.failed[number] = error


def _refuse_unknown(folder: Path, numbers: Sequence[int], known: Collection[int]) -> None:
    """Say so where numbers are those of variations that nobody asked for."""
    unknown = [number for number in numbers if number >= FIRST_VARIATION and number not in known]
    if unknown:
        right = (
            f"a recipe draws up to {FIRST_VARIATION - 1:,}; the numbers after that are given to variations"
        )
        command = f"artgen vary {folder.name} NUMBER"
        raise ArtgenError(f"candidate {ranges(unknown)}", f"no variation of {folder.name}", right, command)


def _files(recipe: Recipe) -> list[Path]:
    parts = [recipe.source, *recipe.steps]
    return list(dict.fromkeys(file for part in parts for file in part.files(recipe.folder)))
