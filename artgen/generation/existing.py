"""What a run already has: finished candidates, captions, and the inputs it was started with."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.events import Emit, Note
from artgen.generation.chain import build_caption
from artgen.generation.make_candidate import RunInputs
from artgen.imaging.io.files import sweep
from artgen.recipe import Lineage, Recipe, draw_candidate
from artgen.runs.candidate import (
    CANDIDATES_FOLDER,
    FIRST_VARIATION_NUMBER,
    STAGES_FOLDER,
    THUMBNAILS_FOLDER,
    Candidate,
)
from artgen.runs.provenance import read_provenance
from artgen.runs.rebuild import recover_candidate
from artgen.runs.store import Run
from artgen.version import __version__


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files of killed processes from a run's folder."""
    for subfolder in (folder, folder / CANDIDATES_FOLDER, folder / STAGES_FOLDER, folder / THUMBNAILS_FOLDER):
        if subfolder.is_dir():
            sweep(subfolder)


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


def list_missing(run: Run, inputs: RunInputs, lineages: Iterable[Lineage]) -> list[Lineage]:
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


def report_changed_inputs(run: Run, inputs: RunInputs, emit: Emit) -> None:
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


def update_captions(run: Run, recipe: Recipe) -> None:
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
