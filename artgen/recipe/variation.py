"""Variations of a candidate: made from the same start, painted slightly differently.

The source, its draws and every choice are the same as the parent's: same composition, same style. A value
that a step drew from a range moves by a share of that range: little before the first cached step, where it
determines what is seen (a crop that moves far gives another picture), and more from that step on, where it
determines how that is painted. The first cached step keeps its random streams, since it fixes the shapes;
the random cached steps after it get new ones, because pictures that differ only in their ranges look the
same next to each other. A variation may itself be varied: its draws then start from those of its parent.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artgen.config.draws import Draw
from artgen.errors import ArtgenError
from artgen.steps.base import Step

COMPOSITION_MOVE_SHARES, PAINTING_MOVE_SHARES = (1 / 32, 1 / 12), (1 / 8, 1 / 3)
"""The least and most that a draw moves, as shares of its range: before the first cached step, and from it on.
Chosen by eye: similar pictures, but not the same."""


@dataclass(frozen=True)
class Lineage:
    """A candidate's number and, for a variation, the candidates that it comes from.

    Args:
        number: the candidate's number, from 1.
        ancestors: from the candidate that the recipe drew to this variation's parent; empty for a candidate
            that the recipe draws.
    """

    number: int
    ancestors: tuple[int, ...] = ()

    @classmethod
    def from_candidate(cls, candidate: int | Lineage) -> Lineage:
        """Return the lineage of a candidate that the recipe draws; a lineage is returned as it is."""
        return candidate if isinstance(candidate, Lineage) else cls(candidate)

    @property
    def root(self) -> int:
        """The candidate that the recipe drew; its variations share its source and random streams."""
        return self.ancestors[0] if self.ancestors else self.number

    @property
    def parent(self) -> int | None:
        """The candidate that this is a variation of, or None."""
        return self.ancestors[-1] if self.ancestors else None

    @property
    def variation_numbers(self) -> tuple[int, ...]:
        """The variations from the root's child to this one, whose moves add up."""
        return (*self.ancestors, self.number)[1:]

    def child(self, number: int) -> Lineage:
        """Return the lineage of a new variation of this candidate."""
        return Lineage(number, (*self.ancestors, self.number))


def move_value(
    draw: Draw, value: Any, rng: random.Random, shares: tuple[float, float] = PAINTING_MOVE_SHARES
) -> Any:
    """Move a drawn value up or down by a share of its range, for a variation, never beyond an end.

    A value of a logarithmic range moves by a share of the logarithmic range; a whole number by at least one.

    Args:
        draw: what the value was drawn from; the value of a choice, or of a range of one value, stays.
        value: the drawn value.
        rng: decides how far the value moves, and in which direction if both are possible.
        shares: the least and the most that it moves, as shares of the range, at most 0.5.
    """
    if not has_room(draw):
        return value
    share, is_upwards = rng.uniform(*shares), rng.random() < 0.5
    low, high = draw.values
    if draw.kind == "integer":
        step = max(1, round(share * (high - low)))
        return int(_step_within_range(value, step, is_upwards, low, high))
    if draw.kind == "log_uniform":
        log_ends = math.log(low), math.log(high)
        value = math.exp(
            _step_within_range(math.log(value), share * (log_ends[1] - log_ends[0]), is_upwards, *log_ends)
        )
    else:
        value = _step_within_range(value, share * (high - low), is_upwards, low, high)
    return min(max(float(f"{value:.4g}"), float(low)), float(high))


def _step_within_range(value: float, step: float, is_upwards: bool, low: float, high: float) -> float:
    """Move a drawn value by a step, in the other direction if it would leave the range."""
    moved = value + step if is_upwards else value - step
    if low <= moved <= high:
        return moved
    moved_back = value - step if is_upwards else value + step
    return min(max(moved_back, low), high)


def has_room(draw: Draw) -> bool:
    """Return whether a draw is a range with more than one value, so that a variation can move in it."""
    return draw.kind != "choice" and bool(draw.values[0] < draw.values[1])


def move_shares_by_step(steps: Sequence[Step]) -> list[tuple[float, float]]:
    """Return how far the draws of each step move, as (least, most) shares of their ranges."""
    first_cached = next((number for number, step in enumerate(steps) if step.cached), 0)
    return [
        COMPOSITION_MOVE_SHARES if number < first_cached else PAINTING_MOVE_SHARES
        for number in range(len(steps))
    ]


def find_redrawn_steps(
    recipe_steps: Sequence[Step], drawn_steps: Sequence[Step], folder: Path, recipe_name: str
) -> tuple[str, ...]:
    """Return the names of the steps that get new random streams in a variation.

    These are the cached random steps except the first (or the only one). In a recipe without such steps and
    without ranges, it is the last random step.

    Args:
        recipe_steps: the steps as in the recipe, with draws.
        drawn_steps: the same steps with every draw made.
        folder: the recipe's folder.
        recipe_name: the recipe's name in an error message.

    Returns:
        The steps' names; empty if the moved ranges are enough.

    Raises:
        ArtgenError: a variation would equal its parent, since nothing in the steps is random.
    """
    random_steps = [step for step in drawn_steps if step.depends_on_chance(folder)]
    cached_names = tuple(step.name for step in random_steps if step.cached)
    if cached_names:
        return cached_names[1:] or cached_names
    if any(has_room(draw) for step in recipe_steps for draw in draws_by_field(step).values()):
        return ()
    if not random_steps:
        expected = "give a step a range, such as noise = { uniform = [0.4, 1] }"
        problem = "nothing in its steps is random"
        raise ArtgenError(f"{recipe_name}: variations", problem, expected, "artgen steps")
    return (random_steps[-1].name,)


def draws_by_field(part: Any) -> dict[str, Draw]:
    """Return the draws of a source or step by field name."""
    fields = ((name, getattr(part, name)) for name in type(part).model_fields)
    return {name: value for name, value in fields if isinstance(value, Draw)}
