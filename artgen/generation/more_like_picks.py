"""More like what was picked: a recipe whose draws are narrowed towards the picks of all its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.events import Emit, Note
from artgen.hashing import json_hash
from artgen.recipe import Recipe, load
from artgen.recipe.narrowing import Kept, Narrowed, narrowed_draws
from artgen.runs.candidate import Candidate
from artgen.runs.lookup import list_runs, recipe_name
from artgen.runs.store import Run
from artgen.seeds import derive

MOST_SEED = 2**53


@dataclass(frozen=True)
class Liking:
    """A recipe as taste narrowed it.

    Args:
        recipe: what to run: with its own digest, and its own seed unless one was asked for.
        fields: every draw of the recipe, before and after.
        picks: how many there are.
        runs: names of the runs that they are in.
    """

    recipe: Recipe
    fields: tuple[Narrowed, ...]
    picks: int
    runs: tuple[str, ...]


def more_like_picks(
    file: Path, overrides: Sequence[str], root: Path, emit: Emit, *, seed: int | None = None
) -> Liking:
    """A recipe narrowed towards the picks of every run in ``root`` of a recipe of this name.

    The same picks give the same recipe, so that the same command goes on with the same run.

    Args:
        file: the recipe's; it stays as it is.
        overrides: ``key=value`` texts, as ``--set`` takes them.
        root: the folder that holds the runs.
        emit: takes ``Note``: a run that cannot be read.
        seed: the seed to run with; None derives one from the recipe's and the picks.

    Raises:
        ArtgenError: the recipe is wrong, leaves nothing to chance, or nothing was picked.
    """
    recipe = load(file, overrides)
    if not narrowed_draws(recipe, ()):
        right = "a range or a choice, such as noise = { uniform = [0.4, 1] }"
        raise ArtgenError(str(file), "draws nothing, so that nothing can be narrowed", right, "artgen steps")
    kept: list[Kept] = []
    runs: list[str] = []
    picked: list[tuple[str, int, int]] = []
    for name, picks in _picks(root, recipe.path.stem, emit):
        runs.append(name)
        for candidate, first in picks:
            kept.append(Kept(candidate.draws, max(1, candidate.stars), f"{name} {first}"))
            picked.append((name, candidate.index, candidate.stars))
    if not kept:
        found, right = f"no run in {root} has picks", "keep what you like first"
        raise ArtgenError(str(file), found, right, f"artgen curate {recipe.path.stem}")
    fields = narrowed_draws(recipe, kept)
    if not any(field.kept for field in fields):
        found = "what the picks were drawn with, this recipe does not draw any more"
        raise ArtgenError(str(file), found, "pick in a run of the recipe as it is", f"artgen run {file}")
    if seed is None:
        seed = derive(recipe.seed, 0, "more-like-picks", json_hash(sorted(picked))) % MOST_SEED
    changes = [f"{field.field}={toml(field)}" for field in fields if field.after != field.before]
    narrower = load(file, [*overrides, *changes, f"seed={seed}"])
    return Liking(narrower, tuple(fields), len(kept), tuple(runs))


def _picks(root: Path, name: str, emit: Emit) -> list[tuple[str, list[tuple[Candidate, int]]]]:
    """Each run of a recipe of that name with its picks, where it has any, and whom they descend from."""
    found = []
    for folder in sorted(list_runs(root)):
        if recipe_name(folder) != name:
            continue
        try:
            with Run.open(folder) as run:
                picks = liked(run.candidates())
                firsts = [lineage.first for lineage in run.lineages(one.index for one in picks)]
        except ArtgenError as error:
            emit(Note(f"passed over: {error}"))
            continue
        if picks:
            found.append((folder.name, list(zip(picks, firsts, strict=True))))
    return found


def liked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The picks; in a round in which nothing is kept yet, what came into that round and is not rejected."""
    if picks := [candidate for candidate in candidates if candidate.picked]:
        return picks
    last = max((candidate.round for candidate in candidates), default=1)
    return [one for one in candidates if one.round == last > 1 and one.mark != "rejected"]


def toml(field: Narrowed) -> str:
    """The narrowed draw as the recipe writes it."""
    import tomlkit

    table = tomlkit.inline_table()
    table.update(field.after.spec())
    return table.as_string()
