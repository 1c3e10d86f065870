"""The report of ``artgen run --more-like-picks``: narrowed draws, and from how many picks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from artgen.config.draws import Draw
    from artgen.generation.more_like_picks import NarrowedRecipe
    from artgen.recipe import Recipe
    from artgen.recipe.narrowing import NarrowedDraw


def narrow_recipe(
    file: Path, overrides: Sequence[str], runs: Path, seed: int | None, *, quiet: bool
) -> tuple[Recipe, dict[str, Any]]:
    """Return the narrowed recipe and its JSON report; print a table unless ``quiet``."""
    from artgen.cli.terminal.run_progress import show_run_progress
    from artgen.generation.more_like_picks import narrow_recipe_to_picks

    with show_run_progress() as emit:
        liking = narrow_recipe_to_picks(file, overrides, runs, emit, seed=seed)
    if not quiet:
        for line in format_table(liking):
            typer.echo(line)
    fields = [
        {
            "field": one.field,
            "before": one.before.to_table(),
            "after": one.after.to_table(),
            "picks": one.pick_count,
        }
        for one in liking.narrowed_draws
    ]
    report = {
        "picks": liking.pick_count,
        "runs": list(liking.run_names),
        "seed": liking.recipe.seed,
        "fields": fields,
    }
    return liking.recipe, {"narrowed": report}


def format_table(liking: NarrowedRecipe) -> list[str]:
    """Return a summary line and one line for each draw that changed."""
    changed = [one for one in liking.narrowed_draws if one.after != one.before]
    runs = f"{len(liking.run_names)} run{'' if len(liking.run_names) == 1 else 's'}"
    picks = f"{liking.pick_count} pick{'' if liking.pick_count == 1 else 's'}"
    same = len(liking.narrowed_draws) - len(changed)
    rest = f"; {same} draws stay as they are" if changed and same else ""
    head = f"narrowed by {picks} of {runs}{rest}" if changed else f"{picks} of {runs} narrow no draw"
    width = max((len(one.field) for one in changed), default=0)
    return [head, *(f"  {one.field:{width}}  {_format_row(one, liking.pick_count)}" for one in changed)]


def _format_row(one: NarrowedDraw, picks: int) -> str:
    told = "" if one.pick_count == picks else f"  (told by {one.pick_count})"
    return f"{_format_draw(one.before)} -> {_format_draw(one.after)}{told}"


def _format_draw(draw: Draw) -> str:
    if draw.kind != "choice":
        low, high = draw.values
        return f"{low:g} to {high:g}"
    counts = Counter(_format_choice(value) for value in draw.values)
    even = len(set(counts.values())) == 1
    if even and len(counts) > 4:
        return f"{len(counts)} alike"
    named = [word if even else f"{word}: {count}" for word, count in counts.most_common()]
    return ", ".join(named[:4]) + (f" and {len(named) - 4} more" if len(named) > 4 else "")


def _format_choice(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " + ".join(map(_format_choice, value))
    return str(value).removeprefix("builtin:")
