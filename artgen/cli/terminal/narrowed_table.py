"""The report of ``artgen run --more-like-picks``: the narrowed draws, and the number of picks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from artgen.cli.terminal.plain_text import count_noun

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
        narrowed = narrow_recipe_to_picks(file, overrides, runs, emit, seed=seed)
    if not quiet:
        for line in format_table(narrowed):
            typer.echo(line)
    fields = [
        {"field": one.field, "before": one.before.to_table(), "after": one.after.to_table()}
        | {"picks": one.pick_count}
        for one in narrowed.narrowed_draws
    ]
    report = {
        "picks": narrowed.pick_count,
        "runs": list(narrowed.run_names),
        "seed": narrowed.recipe.seed,
        "fields": fields,
    }
    return narrowed.recipe, {"narrowed": report}


def format_table(narrowed: NarrowedRecipe) -> list[str]:
    """Return a summary line of the narrowed draws, and one line for each draw that changed."""
    changed = [one for one in narrowed.narrowed_draws if one.after != one.before]
    runs = count_noun(len(narrowed.run_names), "run")
    picks = count_noun(narrowed.pick_count, "pick")
    same = len(narrowed.narrowed_draws) - len(changed)
    unchanged = f"; {same} draws are unchanged" if changed and same else ""
    summary = f"narrowed by {picks} of {runs}{unchanged}" if changed else f"{picks} of {runs} narrow no draw"
    width = max((len(one.field) for one in changed), default=0)
    return [summary, *(f"  {one.field:{width}}  {_format_row(one, narrowed.pick_count)}" for one in changed)]


def _format_row(one: NarrowedDraw, picks: int) -> str:
    evidence = "" if one.pick_count == picks else f"  (from {one.pick_count})"
    return f"{_format_draw(one.before)} -> {_format_draw(one.after)}{evidence}"


def _format_draw(draw: Draw) -> str:
    if draw.kind != "choice":
        low, high = draw.values
        return f"{low:g} to {high:g}"
    counts = Counter(_format_choice(value) for value in draw.values)
    is_uniform = len(set(counts.values())) == 1
    if is_uniform and len(counts) > 4:
        return f"{len(counts)} equally likely"
    choices = [word if is_uniform else f"{word}: {count}" for word, count in counts.most_common()]
    return ", ".join(choices[:4]) + (f" and {len(choices) - 4} more" if len(choices) > 4 else "")


def _format_choice(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " + ".join(map(_format_choice, value))
    return str(value).removeprefix("builtin:")
