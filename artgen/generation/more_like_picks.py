"""Narrowing of a recipe's draws towards the values that the picks of its runs had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from artgen.errors import ArtgenError, artgen_command
from artgen.events import Emit, Note
from artgen.hashing import json_hash
from artgen.recipe import Recipe, load_recipe
from artgen.recipe.narrowing import NarrowedDraw, PickDraws, narrow_recipe_draws
from artgen.runs.candidate import Candidate
from artgen.runs.lookup import list_run_folders, recipe_name_of_run
from artgen.runs.store import Run
from artgen.seeds import derive_key

SEED_LIMIT = 2**53


@dataclass(frozen=True)
class NarrowedRecipe:
    """A recipe whose draws are narrowed towards picks.

    Args:
        recipe: the recipe to run, with a digest and, unless one was requested, a seed of its own.
        narrowed_draws: every draw of the recipe, before and after.
        pick_count: how many picks were used.
        run_names: names of the runs that have these picks.
    """

    recipe: Recipe
    narrowed_draws: tuple[NarrowedDraw, ...]
    pick_count: int
    run_names: tuple[str, ...]


def narrow_recipe_to_picks(
    recipe_file: Path, overrides: Sequence[str], runs_folder: Path, emit: Emit, *, seed: int | None = None
) -> NarrowedRecipe:
    """Narrow the draws of a recipe towards the picks of all runs of recipes with the same file name.

    The same picks give the same recipe, so that the same command resumes the same run.

    Args:
        recipe_file: the recipe; the file stays unchanged.
        overrides: ``key=value`` texts, as ``--set`` takes them.
        runs_folder: the folder that holds the runs.
        emit: takes a ``Note`` for each run that cannot be read.
        seed: the seed to run with; None derives one from the recipe's seed and the picks.

    Raises:
        ArtgenError: the recipe is invalid or draws nothing, or nothing was picked.
    """
    recipe = load_recipe(recipe_file, overrides)
    if not narrow_recipe_draws(recipe, ()):
        expected = "a range or a choice, such as noise = { uniform = [0.4, 1] }"
        raise ArtgenError(
            str(recipe_file), "draws nothing, so that nothing can be narrowed", expected, "artgen steps"
        )
    kept_draws: list[PickDraws] = []
    run_names: list[str] = []
    pick_keys: list[tuple[str, int, int]] = []
    for name, picks in _read_picks_by_run(runs_folder, recipe.path.stem, emit):
        run_names.append(name)
        for candidate, first_ancestor in picks:
            kept_draws.append(PickDraws(candidate.draws, max(1, candidate.stars), f"{name} {first_ancestor}"))
            pick_keys.append((name, candidate.index, candidate.stars))
    if not kept_draws:
        problem, expected = f"no run in {runs_folder} has picks", "keep what you like first"
        raise ArtgenError(str(recipe_file), problem, expected, artgen_command("curate", recipe.path.stem))
    draws = narrow_recipe_draws(recipe, kept_draws)
    if not any(field.pick_count for field in draws):
        problem = "the recipe no longer draws the values that the picks were drawn with"
        raise ArtgenError(
            str(recipe_file),
            problem,
            "pick in a run of the present recipe",
            artgen_command("run", recipe_file),
        )
    if seed is None:
        seed = derive_key(recipe.seed, 0, "more-like-picks", json_hash(sorted(pick_keys))) % SEED_LIMIT
    new_overrides = [f"{field.field}={format_draw(field)}" for field in draws if field.after != field.before]
    narrowed_recipe = load_recipe(recipe_file, [*overrides, *new_overrides, f"seed={seed}"])
    return NarrowedRecipe(narrowed_recipe, tuple(draws), len(kept_draws), tuple(run_names))


def _read_picks_by_run(
    runs_folder: Path, recipe_name: str, emit: Emit
) -> list[tuple[str, list[tuple[Candidate, int]]]]:
    """Read the picks of every run of recipes with this name.

    Returns:
        For each run with picks its name and its picks, each with the number of the candidate that the recipe
        drew: the pick itself, or the first ancestor of a variation.
    """
    picks_by_run = []
    for folder in sorted(list_run_folders(runs_folder)):
        if recipe_name_of_run(folder) != recipe_name:
            continue
        try:
            with Run.open(folder) as run:
                picks = select_picks(run.candidates())
                first_ancestors = [
                    lineage.root for lineage in run.lineages(candidate.index for candidate in picks)
                ]
        except ArtgenError as error:
            emit(Note(f"skipped: {error}"))
            continue
        if picks:
            picks_by_run.append((folder.name, list(zip(picks, first_ancestors, strict=True))))
    return picks_by_run


def select_picks(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Select the candidates whose draws count: the kept ones, or the round's that are not rejected.

    The latter are the picks of the round before, which a new round begins with.
    """
    if picks := [candidate for candidate in candidates if candidate.picked]:
        return picks
    last_round = max((candidate.round for candidate in candidates), default=1)
    return [
        candidate
        for candidate in candidates
        if candidate.round == last_round > 1 and candidate.mark != "rejected"
    ]


def format_draw(narrowed: NarrowedDraw) -> str:
    """Write a narrowed draw as a recipe's TOML inline table."""
    import tomlkit

    table = tomlkit.inline_table()
    table.update(narrowed.after.to_table())
    return table.as_string()
