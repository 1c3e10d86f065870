"""Lookup of run folders by the names that users give."""

from __future__ import annotations

from pathlib import Path

from artgen.errors import ArtgenError
from artgen.locks import LOCK_FILE_NAME

RUNS_FOLDER = Path("runs")
RECIPE_FILE_NAME, DATABASE_FILE_NAME = "recipe.toml", "run.db"


def list_run_folders(runs_folder: Path = RUNS_FOLDER) -> list[Path]:
    """List the folders of the runs in a folder, the latest run first."""
    if not runs_folder.is_dir():
        return []
    run_folders = [folder for folder in runs_folder.iterdir() if is_run_folder(folder)]
    return sorted(run_folders, key=lambda folder: (_last_run_time(folder), folder.name), reverse=True)


def find_run_folder(reference: str | None, runs_folder: Path = RUNS_FOLDER) -> Path:
    """Find the folder of the run that a user means by a name, its beginning or a path.

    Args:
        reference: the run's folder; its name or the beginning of it; the file name of a recipe, for its
            latest run; or None for the latest run of all.
        runs_folder: the folder that holds the runs.

    Raises:
        ArtgenError: there is no such run, or the names of runs of several recipes begin like this.
    """
    if reference and is_run_folder(Path(reference)):
        return Path(reference)
    run_folders = list_run_folders(runs_folder)
    if not run_folders:
        expected = "run a recipe first, or name their folder with --runs"
        raise ArtgenError(str(runs_folder), "no runs here", expected, "artgen run RECIPE")
    if reference is None:
        return run_folders[0]
    name = Path(reference).stem if reference.endswith(".toml") else reference
    for matches in (
        [run for run in run_folders if run.name == name],
        [run for run in run_folders if recipe_name_of_run(run) == name],
        [run for run in run_folders if run.name.startswith(name)],
    ):
        if len({recipe_name_of_run(run) for run in matches}) == 1:
            return matches[0]
        if matches:
            names = ", ".join(run.name for run in matches[:5])
            problem = f"{len(matches)} runs begin like that: {names}"
            raise ArtgenError(f"run {reference}", problem, "give more of the name")
    problem, names = f"no such run in {runs_folder}", ", ".join(run.name for run in run_folders[:5])
    raise ArtgenError(f"run {reference}", problem, f"there are: {names}", "artgen runs")


def is_run_folder(folder: Path) -> bool:
    """Return whether a folder is that of a run, with its recipe or database."""
    return (folder / RECIPE_FILE_NAME).is_file() or (folder / DATABASE_FILE_NAME).is_file()


def recipe_name_of_run(run_folder: Path) -> str:
    """Return the file name of a run's recipe without its suffix, from the name of the run's folder."""
    return run_folder.resolve().name.removesuffix("-preview").rpartition("-")[0]


def _last_run_time(folder: Path) -> float:
    """Return when a run was last started, in seconds since the epoch; 0 if unknown."""
    for name in (LOCK_FILE_NAME, RECIPE_FILE_NAME, DATABASE_FILE_NAME):
        try:
            return (folder / name).stat().st_mtime
        except OSError:
            continue
    return 0.0
