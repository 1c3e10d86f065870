"""The recipe of a run, read from the run's own folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from artgen.config.document import read
from artgen.errors import ArtgenError, Problems
from artgen.recipe import Recipe
from artgen.recipe.loading import of_document
from artgen.runs.candidate import png_file
from artgen.runs.lookup import RECIPE, recipe_name
from artgen.runs.provenance import read as read_provenance
from artgen.runs.store import RECIPE_FOLDER, Run


def recipe_of(run: Run) -> Recipe:
    """The recipe as it was run, with the files that it names where they were then.

    Raises:
        ArtgenError: a file is missing, nobody knows where the recipe lies, or this version of artgen
            reads it otherwise.
    """
    file, name = run.folder / RECIPE, f"{recipe_name(run.folder)}.toml"
    place = _folder(run, name)
    try:
        recipe = of_document(replace(read(file), path=place / name))
    except Problems as problems:
        # Lines are those of the run's copy: the file may have changed since.
        raise Problems(
            str(file), [_moved(error, place / name, file) for error in problems.problems]
        ) from None
    _refuse_another(run, recipe)
    return recipe


def is_preview(run: Run) -> bool:
    """Whether the run is one of ``--preview``."""
    return run.name.endswith("-preview")


def _folder(run: Run, name: str) -> Path:
    """Where the recipe lies: as the run remembers, or where one of its name is."""
    remembered = run.fact(RECIPE_FOLDER)
    if remembered is not None and (folder := run.folder / remembered).is_dir():
        return folder
    # A database that was rebuilt does not know; where runs and recipes usually lie is worth a look.
    beside = run.folder.resolve().parent.parent
    for folder in (Path(), Path("recipes"), beside, beside / "recipes"):
        if (folder / name).is_file():
            return folder
    found = "it is not known where its recipe lies" if remembered is None else f"no folder {remembered}"
    right = "run the recipe once more, which makes nothing that is there"
    raise ArtgenError(f"run {run.name}", found, right, f"artgen run PATH/{name}")


def _moved(error: ArtgenError, named: Path, file: Path) -> ArtgenError:
    where = error.where.replace(str(named), str(file), 1)
    return ArtgenError(where, error.found, error.right, error.command)


def _refuse_another(run: Run, recipe: Recipe) -> None:
    """No run mixes two recipes; what a picture carries tells which one made it."""
    for candidate in run.candidates()[:1]:
        try:
            digest = read_provenance(png_file(run.folder, candidate.index)).digest
        except ArtgenError:  # missing, or saved by other software
            return
        if digest != recipe.digest():
            found = "this version of artgen reads its recipe otherwise"
            command = f"artgen run {recipe.path}"
            raise ArtgenError(f"run {run.name}", found, "candidates of today are another run", command)
