"""Narrowing of a recipe's draws towards the values of the candidates that the artist picked.

Few picks say little, so few narrow little: the margin around the picked values shrinks with the square root
of their number, and no option of a choice is dropped before there are ``MIN_PICKS_TO_DROP_OPTION`` picks.
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
from artgen.recipe.variation import draws_by_field, has_room
from artgen.steps.base import SOURCE_ID

COUNTED_PICKS_SHARE = 0.8
"""The middle share of the picked values, by weight, that counts: an outlier does not keep a range wide."""
RANGE_MARGIN_SHARE = 1 / 6
"""Share of the range that is added on either side of a single value; divided by sqrt(n) for n values."""
MIN_RANGE_SHARE = 1 / 10
"""Share of the range that remains at least."""
MAX_NARROWED_RANGE_SHARE = 0.9
"""A range that would keep more than this share of its width is left as it is: that is chance, not taste."""
MIN_PICKS_TO_DROP_OPTION = 8
"""From this number of picks on, an option of a choice that none of them has is dropped."""
TARGET_CHOICE_ENTRIES = 12
"""About how many entries a weighted choice has: options are repeated according to their weight."""


@dataclass(frozen=True)
class PickDraws:
    """The values that were drawn for one picked candidate.

    Args:
        draws: values by step id (``"source"`` for the source), then field.
        weight: how much it counts, above 0.
        family: the same text for candidates that are variations of each other: a value that they have in
            common counts once. Empty for a candidate without variations.
    """

    draws: Mapping[str, Mapping[str, Any]]
    weight: float = 1.0
    family: str = ""


@dataclass(frozen=True)
class NarrowedDraw:
    """A draw of a recipe before and after narrowing towards picks.

    Args:
        field: its name for ``--set``, such as ``steps.grow.noise``.
        before: the draw in the recipe.
        after: the narrowed draw; equal to ``before`` if nothing was learned.
        pick_count: from how many values of picked candidates it was learned.
    """

    field: str
    before: Draw
    after: Draw
    pick_count: int


def narrow_recipe_draws(recipe: Recipe, picks: Sequence[PickDraws]) -> list[NarrowedDraw]:
    """Narrow every draw of a recipe towards the picked values, in file order.

    Values that the recipe could no longer draw are ignored.
    """
    narrowed_draws = []
    for part in (recipe.source, *recipe.steps):
        table_name = SOURCE_ID if part is recipe.source else f"steps.{part.name}"
        for field, draw in draws_by_field(part).items():
            weighted_values = _collect_weighted_values(picks, part.name, field, draw)
            values = [value for value, _ in weighted_values]
            after = narrow_draw(draw, values, [weight for _, weight in weighted_values])
            narrowed_draws.append(NarrowedDraw(f"{table_name}.{field}", draw, after, len(values)))
    return narrowed_draws


def _collect_weighted_values(
    picks: Sequence[PickDraws], part: str, field: str, draw: Draw
) -> list[tuple[Any, float]]:
    """Collect a field's picked values and weights; a value that a family shares counts once."""
    weighted_values: dict[tuple[Any, ...], tuple[Any, float]] = {}
    for number, pick in enumerate(picks):
        values = pick.draws.get(part, {})
        if field in values and draw.can_give(value := values[field]):
            key = (pick.family, _json_key(value)) if pick.family else (number,)
            weighted_values[key] = (value, max(pick.weight, weighted_values.get(key, (value, 0.0))[1]))
    return list(weighted_values.values())


def narrow_draw(draw: Draw, values: Sequence[Any], weights: Sequence[float] | None = None) -> Draw:
    """Narrow a recipe's draw towards picked values; their order does not matter.

    Args:
        draw: the draw that gave the values.
        values: the picked values, each of which the draw could give; without any, the draw is unchanged.
        weights: the weight of each value, above 0; by default all are equal.
    """
    if not values:
        return draw
    weights = [1.0] * len(values) if weights is None else weights
    if draw.kind == "choice":
        return Draw("choice", _weight_options(draw.values, values, weights))
    if not has_room(draw):
        return draw
    low, high = draw.values
    is_logarithmic = draw.kind == "log_uniform"
    scaled_values = (math.log(value) if is_logarithmic else value for value in (low, high, *values))
    lower_limit, upper_limit, *picked = scaled_values
    start, end = ends = _narrow_range(picked, weights, lower_limit, upper_limit)
    if end - start > MAX_NARROWED_RANGE_SHARE * (upper_limit - lower_limit):
        return draw
    if is_logarithmic:
        ends = math.exp(start), math.exp(end)
    if draw.kind == "integer":
        return Draw("integer", _round_outwards_to_integers(ends, int(low), int(high)))
    rounded_low = max(low, _round_to_four_digits(ends[0], ROUND_FLOOR))
    return Draw(draw.kind, (rounded_low, min(high, _round_to_four_digits(ends[1], ROUND_CEILING))))


def _narrow_range(
    values: Sequence[float], weights: Sequence[float], low: float, high: float
) -> tuple[float, float]:
    """Return a draw's narrowed range: the middle picked values plus a margin, within ``low`` to ``high``."""
    pairs = sorted(zip(values, weights, strict=True))
    margin = RANGE_MARGIN_SHARE * (high - low) / math.sqrt(len(pairs))
    tail_share = (1 - COUNTED_PICKS_SHARE) / 2
    start = _weighted_quantile(pairs, tail_share) - margin
    end = _weighted_quantile(pairs, 1 - tail_share) + margin
    min_width = max(MIN_RANGE_SHARE * (high - low), 2 * margin)
    padding = max(0.0, min_width - (end - start)) / 2
    start, end = start - padding, end + padding
    # What is cut off at one end of the range is added at the other end.
    if start < low:
        end = max(end, low + min_width)
    if end > high:
        start = min(start, high - min_width)
    return max(start, low), min(end, high)


def _weighted_quantile(pairs: Sequence[tuple[float, float]], share: float) -> float:
    """Return the first picked value at which the cumulative weight reaches a share of the total.

    Args:
        pairs: values and weights, sorted by value.
        share: from 0 to 1.
    """
    total_weight, cumulative_weight = sum(weight for _, weight in pairs), 0.0
    for value, weight in pairs:
        cumulative_weight += weight
        if cumulative_weight >= share * total_weight * (1 - 1e-9):
            return value
    return pairs[-1][0]


def _round_outwards_to_integers(ends: tuple[float, float], low: int, high: int) -> tuple[int, int]:
    """Round the ends of a narrowed range outwards to whole numbers, two of them at least."""
    start, end = max(low, math.floor(ends[0])), min(high, math.ceil(ends[1]))
    if start == end:
        start, end = (start, end + 1) if end < high else (start - 1, end)
    return start, end


def _round_to_four_digits(value: float, rounding: str) -> float:
    """Round an end of a narrowed range to four significant digits, so that a person can type it."""
    return float(Context(prec=4, rounding=rounding).create_decimal(repr(float(value))))


def _weight_options(
    options: Sequence[Any], values: Sequence[Any], weights: Sequence[float]
) -> tuple[Any, ...]:
    """Repeat each option of a choice according to how often it was picked.

    An option that was never picked becomes rare, and is dropped after ``MIN_PICKS_TO_DROP_OPTION`` picks.
    """
    option_by_key = {_json_key(option): option for option in options}
    option_shares = {
        key: sum(_json_key(option) == key for option in options) / len(options) for key in option_by_key
    }
    mean_weight = sum(weights) / len(weights)
    prior_weight = max(0, MIN_PICKS_TO_DROP_OPTION - len(values)) * mean_weight
    scores = {
        key: prior_weight * option_shares[key]
        + sum(weight for value, weight in zip(values, weights, strict=True) if _json_key(value) == key)
        for key in option_by_key
    }
    total_score = sum(scores.values())
    counts = {
        key: max(1, round(TARGET_CHOICE_ENTRIES * score / total_score))
        for key, score in scores.items()
        if score > 0
    }
    divisor = math.gcd(*counts.values())
    return tuple(option_by_key[key] for key, count in counts.items() for _ in range(count // divisor))


def _json_key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
