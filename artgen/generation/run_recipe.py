"""The recipe of a run, read from the copy in the run's folder."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

from artgen.config.document import read_document
from artgen.errors import ArtgenError, ValidationErrors, artgen_command
from artgen.recipe import Recipe
from artgen.recipe.loading import build_recipe
from artgen.runs.candidate import candidate_png_path
from artgen.runs.lookup import RECIPE_FILE_NAME, recipe_name_of_run
from artgen.runs.provenance import read_provenance
from artgen.runs.store import RECIPE_FOLDER_FACT, Run


def load_run_recipe(run: Run) -> Recipe:
    """Load the recipe of a run; its file names start at the folder of the original recipe.

    Raises:
        ArtgenError: a file is missing, the folder of the recipe is unknown, or this version of artgen reads
            the recipe differently.
    """
    file, recipe_name = run.folder / RECIPE_FILE_NAME, f"{recipe_name_of_run(run.folder)}.toml"
    recipe_folder = _find_recipe_folder(run, recipe_name)
    try:
        document = replace(read_document(file), path=recipe_folder / recipe_name)
        recipe = build_recipe(document, packages_by_use=_recorded_packages(run))
    except ValidationErrors as errors:
        # Line numbers are those of the run's copy: the original may have changed since.
        raise ValidationErrors(
            str(file), [_point_to_copy(error, recipe_folder / recipe_name, file) for error in errors.errors]
        ) from None
    _check_same_recipe(run, recipe)
    return recipe


def is_preview_run(run: Run) -> bool:
    """Return whether the run was started with ``--preview``."""
    return run.name.endswith("-preview")


def _find_recipe_folder(run: Run, recipe_name: str) -> Path:
    """Find the folder of a run's original recipe: as recorded, or where a recipe of this name is."""
    if recorded_folder := run.find_recipe_folder():
        return recorded_folder
    # A rebuilt database has lost the record; the usual folders of recipes are tried.
    project_folder = run.folder.resolve().parent.parent
    for folder in (Path(), Path("recipes"), project_folder, project_folder / "recipes"):
        if (folder / recipe_name).is_file():
            return folder
    recorded_name = run.read_fact(RECIPE_FOLDER_FACT)
    problem = "the folder of its recipe is unknown" if recorded_name is None else f"no folder {recorded_name}"
    expected = "run the recipe once more: finished candidates are kept"
    raise ArtgenError(f"run {run.name}", problem, expected, artgen_command("run", f"PATH/{recipe_name}"))


def _point_to_copy(error: ArtgenError, recipe_path: Path, copy_path: Path) -> ArtgenError:
    """Replace the path of the original recipe in an error by that of the copy in the run's folder."""
    where = error.where.replace(str(recipe_path), str(copy_path), 1)
    return ArtgenError(where, error.problem, error.expected, error.command)


def _recorded_packages(run: Run) -> dict[str, str]:
    """Return the packages of the run's plug-ins by ``use``, as its first picture records them."""
    for candidate in run.candidates()[:1]:
        with contextlib.suppress(ArtgenError):  # missing, or saved by other software
            plugins = read_provenance(candidate_png_path(run.folder, candidate.index)).plugins
            return {plugin.use: plugin.package for plugin in plugins}
    return {}


def _check_same_recipe(run: Run, recipe: Recipe) -> None:
    """Raise an error if the run's first picture was made by another recipe, since no run mixes two.

    The recipe differs if a newer artgen reads the same text differently.
    """
    for candidate in run.candidates()[:1]:
        try:
            digest = read_provenance(candidate_png_path(run.folder, candidate.index)).digest
        except ArtgenError:  # missing, or saved by other software
            return
        if digest != recipe.digest():
            problem = "this version of artgen reads its recipe differently"
            command = artgen_command("run", recipe.path)
            raise ArtgenError(f"run {run.name}", problem, "new candidates need a new run", command)
