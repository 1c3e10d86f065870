"""The coordinator of a run: finds out which candidates are missing, and has workers draw them.

This process never imports torch; only it adds candidates to the database.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from artgen.errors import ArtgenError, artgen_command
from artgen.events import Emit, Note, RunFinished, RunStarted
from artgen.generation.chain import build_caption
from artgen.generation.make_candidate import RunInputs
from artgen.generation.scheduler import RunResult, Scheduler, remove_leftovers
from artgen.generation.worker import WorkerOrder
from artgen.locks import BusyError, lock_folder
from artgen.recipe import Lineage, Recipe, draw_candidate
from artgen.recipe.stage_sizes import check_stage_sizes, estimate_worker_memory
from artgen.recipe.survey import survey_recipe
from artgen.runs.candidate import FIRST_VARIATION_NUMBER, Candidate, format_number_ranges
from artgen.runs.lookup import RUNS_FOLDER, is_run_folder
from artgen.runs.provenance import hash_files, portable_file_name, read_provenance
from artgen.runs.rebuild import recover_candidate
from artgen.runs.stages import STAGE_CACHE_FOLDER
from artgen.runs.store import RECIPE_FOLDER_FACT, Run, prepare_run_folder
from artgen.version import __version__


@dataclass(frozen=True)
class RunRequest:
    """What a user asks of a run: which candidates, and how to generate them.

    Args:
        candidate_count: generate candidates 1 to this number; None takes the recipe's number.
        numbers: generate only these candidates; if empty, only queued variations.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        preview: smaller and faster, in a run folder with a name of its own.
        worker_count: worker processes; None takes one per core, or one on a GPU. Fewer are started if memory
            does not suffice.
        runs_folder: the folder that holds the runs.
    """

    candidate_count: int | None = None
    numbers: Sequence[int] | None = None
    device: str = "auto"
    preview: bool = False
    worker_count: int | None = None
    runs_folder: Path = RUNS_FOLDER


def run_folder_of_recipe(recipe: Recipe, runs_folder: Path, *, preview: bool = False) -> Path:
    """Return the folder of the run of a recipe; another recipe, seed or override has another folder."""
    ending = "-preview" if preview else ""
    return runs_folder / f"{recipe.path.stem}-{recipe.digest()[:8]}{ending}"


def generate_candidates(recipe: Recipe, request: RunRequest, emit: Emit, run: Run | None = None) -> RunResult:
    """Generate the requested candidates that are missing, and all queued variations.

    A candidate that fails does not stop the others. Variations that any process queues while this runs are
    generated before it returns.

    Args:
        recipe: the recipe of the run.
        request: which candidates, and how.
        emit: takes every event.
        run: the recipe's open run; None opens or creates it.

    Raises:
        ArtgenError: an input is missing, a stage does not fit in memory, a variation is unknown, the device
            does not exist, or the disk is full.
        BusyError: another process generates candidates of this run.
        WorkerBugError: a worker met a bug.
    """
    start_time = time.monotonic()
    check_stage_sizes(recipe, preview=request.preview)
    folder = run.folder if run else run_folder_of_recipe(recipe, request.runs_folder, preview=request.preview)
    numbers, result = request.numbers or (), RunResult(folder)
    with contextlib.nullcontext(run) if run else _open_or_create_run(folder, recipe, numbers) as run:
        _check_variations_exist(folder, numbers, run.variations())
        for note in survey_recipe(recipe):
            emit(Note(note))
        _generate_missing(run, recipe, request, result, emit)
        # Variations may have been queued after the last look at the queue and before the lock was released.
        with contextlib.suppress(BusyError):
            while {lineage.number for lineage in run.queued_lineages()} - result.errors.keys():
                _generate_missing(run, recipe, replace(request, numbers=()), result, emit)
        result.candidates = run.candidates()
    result.seconds = time.monotonic() - start_time
    emit(RunFinished(str(folder), len(result.generated_numbers), result.seconds))
    return result


def request_variations(run: Run, recipe: Recipe, parents: Sequence[int], count: int) -> list[int]:
    """Queue ``count`` variations of each parent and return their numbers.

    Raises:
        ArtgenError: the run has no such candidate, or its variations would equal it; then none is queued.
    """
    for lineage in run.lineages(parents):
        parent = lineage.number
        run.candidate(parent)
        if parent >= FIRST_VARIATION_NUMBER and lineage.parent is None:
            problem = "a variation of a candidate that is no longer known"
            raise ArtgenError(f"candidate {parent}", problem, "vary another")
        draw_candidate(recipe, recipe.seed, lineage.child(FIRST_VARIATION_NUMBER))
    return [number for parent in parents for number in run.queue_variations(parent, count)]


def _open_or_create_run(folder: Path, recipe: Recipe, numbers: Sequence[int]) -> Run:
    """Open the run of a recipe or create it; a new run has no variations that could be requested."""
    if is_run_folder(folder):
        return Run.open(folder)
    _check_variations_exist(folder, numbers, ())
    return Run.create(folder, recipe)


def _generate_missing(run: Run, recipe: Recipe, request: RunRequest, result: RunResult, emit: Emit) -> None:
    """Lock the run, and generate what is missing."""
    folder = run.folder
    with lock_folder(folder):
        remove_leftovers(folder)
        prepare_run_folder(folder, recipe)
        inputs = RunInputs(folder, recipe, hash_files(_list_input_files(recipe), recipe.folder))
        run.write_fact(RECIPE_FOLDER_FACT, portable_file_name(recipe.folder, folder))
        _report_changed_inputs(run, inputs, emit)
        _update_captions(run, recipe)
        _drop_impossible_variations(run, recipe, result, emit)
        lineages = _list_requested(run, recipe, request)
        missing = _list_missing(run, inputs, lineages)
        emit(RunStarted(run.name, str(folder), len(lineages), len(lineages) - len(missing)))
        if missing:
            order = WorkerOrder(inputs, request.device, request.preview, folder.parent / STAGE_CACHE_FOLDER)
            worker_bytes = estimate_worker_memory(recipe, preview=request.preview)
            Scheduler(run, order, missing, request.worker_count, worker_bytes, result, emit).run()


def _list_requested(run: Run, recipe: Recipe, request: RunRequest) -> list[Lineage]:
    """List the requested candidates and the queued variations; without numbers, all variations, too."""
    if request.numbers is None:
        lineages = [
            Lineage(number) for number in range(1, (request.candidate_count or recipe.candidates) + 1)
        ]
        lineages += run.variations().values()
    else:
        lineages = run.lineages(request.numbers)
    return list(dict.fromkeys([*run.queued_lineages(), *lineages]))


def _drop_impossible_variations(run: Run, recipe: Recipe, result: RunResult, emit: Emit) -> None:
    """Take queued variations that can never be generated out of the queue, and report them as errors.

    The contact sheet queues variations without looking at the steps of the recipe.
    """
    variations = run.variations()
    for number, parent in run.queued_variations():
        try:
            if number not in variations:
                problem = f"a variation of {parent}, whose own parent is no longer known"
                raise ArtgenError(f"variation {number}", problem, "vary another candidate")
            draw_candidate(recipe, recipe.seed, variations[number])
        except ArtgenError as error:
            run.unqueue_variation(number)
            if str(error) not in map(str, result.errors.values()):
                emit(Note(str(error)))
            result.errors[number] = error


def _check_variations_exist(folder: Path, numbers: Sequence[int], variations: Collection[int]) -> None:
    """Raise an error for numbers of variations that do not exist and are not queued."""
    unknown = [number for number in numbers if number >= FIRST_VARIATION_NUMBER and number not in variations]
    if unknown:
        last_drawn = FIRST_VARIATION_NUMBER - 1
        expected = f"a recipe draws up to {last_drawn:,}; the numbers after that are given to variations"
        command = artgen_command("vary", folder.name, "NUMBER")
        raise ArtgenError(
            f"candidate {format_number_ranges(unknown)}", f"no variation of {folder.name}", expected, command
        )


def _list_input_files(recipe: Recipe) -> list[Path]:
    """List every file that the recipe reads, each once."""
    parts = [recipe.source, *recipe.steps]
    return list(dict.fromkeys(file for part in parts for file in part.list_files(recipe.folder)))


def _list_missing(run: Run, inputs: RunInputs, lineages: Iterable[Lineage]) -> list[Lineage]:
    """List the candidates that are still to be generated.

    Complete pictures that are not in the database, since a crash came before, are recorded first.
    """
    recorded = {candidate.index: candidate for candidate in run.candidates()}
    missing = []
    for lineage in lineages:
        index = lineage.number
        candidate = recorded.get(index)
        if candidate and _has_all_files(candidate):
            continue
        recovered = recover_candidate(run.folder, index, inputs.recipe.digest())
        is_complete = (
            recovered and _has_all_files(recovered) and len(recovered.stages) == len(inputs.recipe.steps) + 1
        )
        if recovered and is_complete and recovered.variation_of == lineage.parent:
            run.add_candidate(recovered)
            continue
        if candidate:
            run.remove_candidate(index)
        missing.append(lineage)
    return missing


def _has_all_files(candidate: Candidate) -> bool:
    """Return whether a candidate's picture, thumbnail and every stage preview exist."""
    files = (candidate.file, candidate.thumbnail, *(stage.preview for stage in candidate.stages))
    return all(file.is_file() for file in files)


def _report_changed_inputs(run: Run, inputs: RunInputs, emit: Emit) -> None:
    """Report which files and versions have changed since the run began, and remember the new ones."""
    versions = {used.name: used.sha256 for used in inputs.used_files.values()}
    versions |= {"artgen": __version__, "torch": importlib.metadata.version("torch")}
    recorded_text = run.read_fact("files")
    text = "\n".join(f"{value} {name}" for name, value in sorted(versions.items()))
    if recorded_text is not None and recorded_text != text:
        recorded_versions = {
            line.partition(" ")[2]: line.partition(" ")[0] for line in recorded_text.splitlines()
        }
        changed = sorted(
            name
            for name in versions.keys() | recorded_versions.keys()
            if versions.get(name) != recorded_versions.get(name)
        )
        names = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
        emit(Note(f"Changed since this run began: {names}. Missing candidates are made with the new ones."))
    if recorded_text != text:
        run.write_fact("files", text)


def _update_captions(run: Run, recipe: Recipe) -> None:
    """Rewrite the captions of finished candidates if the recipe's wording has changed."""
    caption_format = f"{recipe.title}\n{recipe.gallery.caption}"
    recorded_format = run.read_fact("captions")
    if recorded_format == caption_format:
        return
    finished = run.candidates() if recorded_format is not None else []
    lineages = run.lineages(candidate.index for candidate in finished)
    for candidate, lineage in zip(finished, lineages, strict=True):
        caption = build_caption(recipe, lineage, _read_source_file(candidate))
        run.add_candidate(replace(candidate, caption=caption))
    run.write_fact("captions", caption_format)


def _read_source_file(candidate: Candidate) -> str | None:
    """Read the name of the photograph that a candidate started from; None if its PNG does not say it."""
    try:
        return read_provenance(candidate.file).source_file
    except ArtgenError:  # missing, or saved by other software
        return None
