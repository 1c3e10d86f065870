"""From taste to ranges: a draw narrowed towards the values that the artist kept.

Few kept values say little, so few narrow little: a margin around what was kept shrinks with the root of
their number, and of a choice nothing is dropped before ``SURE`` were kept.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from typing import Any

from artgen.config.draws import Draw
from artgen.recipe.model import Recipe
from artgen.recipe.variation import draws_of, has_room
from artgen.steps.base import SOURCE_ID

MIDDLE = 0.8
"""Of the kept values, by weight, the share that counts: one far off does not hold a range open."""
MARGIN = 1 / 6
"""Of the range, added on either side of a single kept value; of n, a root of n times less."""
NARROWEST = 1 / 10
"""Of the range, stays at least."""
WORTH = 0.9
"""A range that would keep more than this share of itself stays as it is: that is chance, not taste."""
SURE = 8
"""So many kept ones outweigh what none of them has."""
ENTRIES = 12
"""About how many entries a weighted choice is written with."""


@dataclass(frozen=True)
class Kept:
    """What one kept candidate was drawn with.

    Args:
        draws: values by step id (``"source"`` for the source), then field.
        weight: how much it counts, above 0.
        family: candidates of the same one are variations of each other: what they have in common counts
            once. Empty for one that has no kin.
    """

    draws: Mapping[str, Mapping[str, Any]]
    weight: float = 1.0
    family: str = ""


@dataclass(frozen=True)
class Narrowed:
    """A draw before and after.

    Args:
        field: as ``--set`` names it, such as ``steps.grow.noise``.
        before: what the recipe has.
        after: what is drawn from now; equal to ``before`` where nothing was learned.
        kept: how many kept candidates told.
    """

    field: str
    before: Draw
    after: Draw
    kept: int


def narrowed_draws(recipe: Recipe, kept: Sequence[Kept]) -> list[Narrowed]:
    """Every draw of a recipe with room, narrowed towards what was kept, in file order.

    Values that the recipe could not draw any more are passed over.
    """
    found = []
    for part in (recipe.source, *recipe.steps):
        place = SOURCE_ID if part is recipe.source else f"steps.{part.name}"
        for field, draw in draws_of(part).items():
            told = _told(kept, part.name, field, draw)
            after = narrowed(draw, [value for value, _ in told], [weight for _, weight in told])
            found.append(Narrowed(f"{place}.{field}", draw, after, len(told)))
    return found


def _told(kept: Sequence[Kept], part: str, field: str, draw: Draw) -> list[tuple[Any, float]]:
    """Values and weights of a field; what a family has in common once, with its largest weight."""
    found: dict[tuple[Any, ...], tuple[Any, float]] = {}
    for number, one in enumerate(kept):
        values = one.draws.get(part, {})
        if field in values and could_draw(draw, value := values[field]):
            place = (one.family, _key(value)) if one.family else (number,)
            found[place] = (value, max(one.weight, found.get(place, (value, 0.0))[1]))
    return list(found.values())


def could_draw(draw: Draw, value: Any) -> bool:
    """Whether the value is one that the draw could give."""
    if draw.kind == "choice":
        return _key(value) in map(_key, draw.values)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return bool(number and draw.values[0] <= value <= draw.values[1])


def narrowed(draw: Draw, values: Sequence[Any], weights: Sequence[float] | None = None) -> Draw:
    """A draw narrowed towards kept values; the same values in any order give the same.

    Args:
        draw: what they were drawn from.
        values: kept ones, each of which the draw could give; none leave it as it is.
        weights: of each value, above 0; by default all count alike.
    """
    if not values:
        return draw
    weights = [1.0] * len(values) if weights is None else weights
    if draw.kind == "choice":
        return Draw("choice", _choice(draw.values, values, weights))
    if not has_room(draw):
        return draw
    low, high = draw.values
    if draw.kind == "log_uniform":
        start, end = _range([math.log(value) for value in values], weights, math.log(low), math.log(high))
        ends = (math.exp(start), math.exp(end))
    else:
        start, end = ends = _range(values, weights, low, high)
    bottom, top = (math.log(low), math.log(high)) if draw.kind == "log_uniform" else (low, high)
    if end - start > WORTH * (top - bottom):
        return draw
    if draw.kind == "integer":
        return Draw("integer", _whole(ends, int(low), int(high)))
    typed = (max(low, _typed(ends[0], ROUND_FLOOR)), min(high, _typed(ends[1], ROUND_CEILING)))
    return Draw(draw.kind, typed)


def _range(values: Sequence[float], weights: Sequence[float], low: float, high: float) -> tuple[float, float]:
    """The middle of the values and a margin, inside ``low`` to ``high`` and not too narrow."""
    pairs = sorted(zip(values, weights, strict=True))
    margin = MARGIN * (high - low) / math.sqrt(len(pairs))
    rest = (1 - MIDDLE) / 2
    start, end = _quantile(pairs, rest) - margin, _quantile(pairs, 1 - rest) + margin
    least = max(NARROWEST * (high - low), 2 * margin)
    spare = max(0.0, least - (end - start)) / 2
    start, end = start - spare, end + spare
    # What an end of the range cuts off is added at the other side.
    if start < low:
        end = max(end, low + least)
    if end > high:
        start = min(start, high - least)
    return max(start, low), min(end, high)


def _quantile(pairs: Sequence[tuple[float, float]], share: float) -> float:
    """The first value at which the weight of all up to it reaches a share of the whole."""
    whole, reached = sum(weight for _, weight in pairs), 0.0
    for value, weight in pairs:
        reached += weight
        if reached >= share * whole * (1 - 1e-9):
            return value
    return pairs[-1][0]


def _whole(ends: tuple[float, float], low: int, high: int) -> tuple[int, int]:
    """Whole numbers around the ends: two at least."""
    start, end = max(low, math.floor(ends[0])), min(high, math.ceil(ends[1]))
    if start == end:
        start, end = (start, end + 1) if end < high else (start - 1, end)
    return start, end


def _typed(value: float, rounding: str) -> float:
    """Four digits, as a person can type them."""
    return float(Context(prec=4, rounding=rounding).create_decimal(repr(float(value))))


def _choice(options: Sequence[Any], values: Sequence[Any], weights: Sequence[float]) -> tuple[Any, ...]:
    """The options as often as they were kept; those of which none was, seldom, and in the end not at all."""
    places = {_key(option): option for option in options}
    share = {key: sum(_key(option) == key for option in options) / len(options) for key in places}
    mean = sum(weights) / len(weights)
    doubt = max(0, SURE - len(values)) * mean
    score = {
        key: doubt * share[key]
        + sum(weight for value, weight in zip(values, weights, strict=True) if _key(value) == key)
        for key in places
    }
    whole = sum(score.values())
    counts = {key: max(1, round(ENTRIES * part / whole)) for key, part in score.items() if part > 0}
    common = math.gcd(*counts.values())
    return tuple(places[key] for key, count in counts.items() for _ in range(count // common))


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
