"""Which run a person means."""

from __future__ import annotations

from pathlib import Path

from artgen.errors import ArtgenError
from artgen.locks import LOCK_FILE

ROOT = Path("runs")
RECIPE, DATABASE = "recipe.toml", "run.db"


def list_runs(root: Path = ROOT) -> list[Path]:
    """The folders of the runs in ``root``, the one run last first."""
    if not root.is_dir():
        return []
    found = [folder for folder in root.iterdir() if is_run(folder)]
    return sorted(found, key=lambda folder: (_last_run(folder), folder.name), reverse=True)


def find_run(reference: str | None, root: Path = ROOT) -> Path:
    """The folder of a run.

    Args:
        reference: its folder; its name or the beginning of it; the recipe's file name (then its last
            run); or None for the last run of all.
        root: where runs are kept.

    Raises:
        ArtgenError: there is none, or runs of several recipes begin like that.
    """
    if reference and is_run(Path(reference)):
        return Path(reference)
    runs = list_runs(root)
    if not runs:
        raise ArtgenError(
            str(root),
            "no runs here",
            "run a recipe first, or name their folder with --runs",
            "artgen run RECIPE",
        )
    if reference is None:
        return runs[0]
    wanted = Path(reference).stem if reference.endswith(".toml") else reference
    for chosen in (
        [run for run in runs if run.name == wanted],
        [run for run in runs if recipe_name(run) == wanted],
        [run for run in runs if run.name.startswith(wanted)],
    ):
        if len({recipe_name(run) for run in chosen}) == 1:
            return chosen[0]
        if chosen:
            names = ", ".join(run.name for run in chosen[:5])
            raise ArtgenError(
                f"run {reference}", f"{len(chosen)} runs begin like that: {names}", "give more of the name"
            )
    names = ", ".join(run.name for run in runs[:5])
    raise ArtgenError(f"run {reference}", f"no such run in {root}", f"there are: {names}", "artgen runs")


def is_run(folder: Path) -> bool:
    """Whether the folder is that of a run."""
    return (folder / RECIPE).is_file() or (folder / DATABASE).is_file()


def recipe_name(run: Path) -> str:
    """The name of the recipe's file, without ending, from a run's folder."""
    return run.resolve().name.removesuffix("-preview").rpartition("-")[0]


def _last_run(folder: Path) -> float:
    for name in (LOCK_FILE, RECIPE, DATABASE):
        try:
            return (folder / name).stat().st_mtime
        except OSError:
            continue
    return 0.0
