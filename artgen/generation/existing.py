"""What a run has already: leftovers swept, finished candidates recorded, changes told."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from artgen import __version__
from artgen.errors import ArtgenError
from artgen.events import Emit, Note
from artgen.generation.chain import described
from artgen.generation.make_candidate import Job
from artgen.imaging.io.files import sweep
from artgen.recipe import Lineage, Recipe, draw
from artgen.runs.candidate import CANDIDATES, FIRST_VARIATION, STAGES, THUMBNAILS, Candidate
from artgen.runs.provenance import read
from artgen.runs.rebuild import recover
from artgen.runs.store import Run


def clean(folder: Path) -> None:
    """Remove what killed writes left in a run's folder."""
    for place in (folder, folder / CANDIDATES, folder / STAGES, folder / THUMBNAILS):
        if place.is_dir():
            sweep(place)


def ask(run: Run, recipe: Recipe, parents: Sequence[int], count: int) -> list[int]:
    """Ask for ``count`` variations of each parent; returns their numbers.

    Raises:
        ArtgenError: the run has no such candidate, or its variations would be the same again; none is
            asked for then.
    """
    for lineage in run.lineages(parents):
        parent = lineage.number
        run.candidate(parent)
        if parent >= FIRST_VARIATION and lineage.variation_of is None:
            found = "a variation of one that is not known any more"
            raise ArtgenError(f"candidate {parent}", found, "vary another")
        draw(recipe, recipe.seed, lineage.child(FIRST_VARIATION))
    return [number for parent in parents for number in run.queue_variations(parent, count)]


def missing(run: Run, job: Job, wanted: Iterable[Lineage]) -> list[Lineage]:
    """The candidates to make; a picture that a crash kept from being recorded is recorded first."""
    there = {candidate.index: candidate for candidate in run.candidates()}
    lacking = []
    for lineage in wanted:
        index = lineage.number
        candidate = there.get(index)
        if candidate and _complete(candidate):
            continue
        found = recover(run.folder, index, job.recipe.digest())
        whole = found and _complete(found) and len(found.stages) == len(job.recipe.steps) + 1
        if found and whole and found.variation_of == lineage.variation_of:
            run.add(found)
            continue
        if candidate:
            run.remove(index)
        lacking.append(lineage)
    return lacking


def _complete(candidate: Candidate) -> bool:
    files = (candidate.file, candidate.thumbnail, *(stage.preview for stage in candidate.stages))
    return all(file.is_file() for file in files)


def tell_changes(run: Run, job: Job, emit: Emit) -> None:
    """Say which files and versions are not what they were when the run began."""
    now = {used.name: used.sha256 for used in job.files.values()}
    now |= {"artgen": __version__, "torch": importlib.metadata.version("torch")}
    before = run.fact("files")
    text = "\n".join(f"{value} {name}" for name, value in sorted(now.items()))
    if before is not None and before != text:
        known = {line.partition(" ")[2]: line.partition(" ")[0] for line in before.splitlines()}
        changed = sorted(name for name in now.keys() | known.keys() if now.get(name) != known.get(name))
        names = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
        emit(
            Note(f"Changed since this run began: {names}. What is missing is made with them as they are now.")
        )
    if before != text:
        run.remember("files", text)


def renew_captions(run: Run, recipe: Recipe) -> None:
    """Word the captions of finished candidates as the recipe words them now."""
    words = f"{recipe.title}\n{recipe.gallery.caption}"
    before = run.fact("captions")
    if before == words:
        return
    finished = run.candidates() if before is not None else []
    lineages = run.lineages(candidate.index for candidate in finished)
    for candidate, lineage in zip(finished, lineages, strict=True):
        caption = described(recipe, lineage, _source_file(candidate))
        run.add(replace(candidate, caption=caption))
    run.remember("captions", words)


def _source_file(candidate: Candidate) -> str | None:
    try:
        return read(candidate.file).source_file
    except ArtgenError:  # missing, or saved by other software
        return None
