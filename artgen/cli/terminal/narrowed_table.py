"""What ``artgen run --more-like-picks`` tells: which draws were narrowed, and from how many picks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from artgen.config.draws import Draw
    from artgen.generation.more_like_picks import Liking
    from artgen.recipe import Recipe
    from artgen.recipe.narrowing import Narrowed


def narrowed(
    file: Path, overrides: Sequence[str], runs: Path, seed: int | None, *, quiet: bool
) -> tuple[Recipe, dict[str, Any]]:
    """The narrowed recipe, told as a table unless ``quiet``, and what JSON says of it."""
    from artgen.cli.terminal.run_progress import shown
    from artgen.generation.more_like_picks import more_like_picks

    with shown() as emit:
        liking = more_like_picks(file, overrides, runs, emit, seed=seed)
    if not quiet:
        for line in table(liking):
            typer.echo(line)
    fields = [
        {"field": one.field, "before": one.before.spec(), "after": one.after.spec(), "picks": one.kept}
        for one in liking.fields
    ]
    told = {"picks": liking.picks, "runs": list(liking.runs), "seed": liking.recipe.seed, "fields": fields}
    return liking.recipe, {"narrowed": told}


def table(liking: Liking) -> list[str]:
    """A line for the whole and one for each draw that changed."""
    changed = [one for one in liking.fields if one.after != one.before]
    runs = f"{len(liking.runs)} run{'' if len(liking.runs) == 1 else 's'}"
    picks = f"{liking.picks} pick{'' if liking.picks == 1 else 's'}"
    same = len(liking.fields) - len(changed)
    rest = f"; {same} draws stay as they are" if changed and same else ""
    head = f"narrowed by {picks} of {runs}{rest}" if changed else f"{picks} of {runs} narrow no draw"
    width = max((len(one.field) for one in changed), default=0)
    return [head, *(f"  {one.field:{width}}  {_line(one, liking.picks)}" for one in changed)]


def _line(one: Narrowed, picks: int) -> str:
    told = "" if one.kept == picks else f"  (told by {one.kept})"
    return f"{_short(one.before)} -> {_short(one.after)}{told}"


def _short(draw: Draw) -> str:
    if draw.kind != "choice":
        low, high = draw.values
        return f"{low:g} to {high:g}"
    counts = Counter(_word(value) for value in draw.values)
    even = len(set(counts.values())) == 1
    if even and len(counts) > 4:
        return f"{len(counts)} alike"
    named = [word if even else f"{word}: {count}" for word, count in counts.most_common()]
    return ", ".join(named[:4]) + (f" and {len(named) - 4} more" if len(named) > 4 else "")


def _word(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " + ".join(map(_word, value))
    return str(value).removeprefix("builtin:")
