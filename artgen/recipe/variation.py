"""Variations: a candidate once more, from the same start, painted a little otherwise.

The source, its draws and every choice stay the parent's: same composition, same hand. What a step drew
from a range moves by a share of that range, little before the first dear step, where it decides what is
seen (a crop moved far is another picture), more from there on, where it decides how that is painted. The
random streams of the first dear step stay, too: it settles the shapes. Those after it invent anew: seen
side by side, pictures that only their ranges tell apart look the same. A variation may be varied in turn:
its draws then start from those of its parent.
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

NEAR, FAR = (1 / 32, 1 / 12), (1 / 8, 1 / 3)
"""The least and most that a draw moves, as shares of its range: before the first dear step, and from it on.
Chosen by eye: siblings, not twins."""


@dataclass(frozen=True)
class Lineage:
    """Which candidate: its number, and for a variation those that it comes from.

    Args:
        number: from 1.
        ancestors: from the candidate that the recipe drew to the one that this is a variation of; empty
            for one that the recipe draws.
    """

    number: int
    ancestors: tuple[int, ...] = ()

    @classmethod
    def of(cls, candidate: int | Lineage) -> Lineage:
        """The lineage of a candidate that is given as its number, where the recipe draws it."""
        return candidate if isinstance(candidate, Lineage) else cls(candidate)

    @property
    def first(self) -> int:
        """The candidate that the recipe drew: its source and its random streams are those of all after it."""
        return self.ancestors[0] if self.ancestors else self.number

    @property
    def variation_of(self) -> int | None:
        """The candidate that this is a variation of."""
        return self.ancestors[-1] if self.ancestors else None

    @property
    def moves(self) -> tuple[int, ...]:
        """Each variation on the way from the first to this one, whose moves add up."""
        return (*self.ancestors, self.number)[1:]

    def child(self, number: int) -> Lineage:
        """A variation of this candidate."""
        return Lineage(number, (*self.ancestors, self.number))


def moved(draw: Draw, value: Any, chance: random.Random, shares: tuple[float, float] = FAR) -> Any:
    """A value of a range, moved by a share of it: up or down, never beyond an end.

    Of a logarithmic range it moves by that share of its logarithm; a whole number by at least one.

    Args:
        draw: what the value was drawn from; a choice, or a range without room, leaves it as it is.
        value: what was drawn.
        chance: decides how far, and which way where both have room.
        shares: the least and the most, at most a half.
    """
    if not has_room(draw):
        return value
    size, up = chance.uniform(*shares), chance.random() < 0.5
    low, high = draw.values
    if draw.kind == "integer":
        step = max(1, round(size * (high - low)))
        return int(_stepped(value, step, up, low, high))
    if draw.kind == "log_uniform":
        ends = math.log(low), math.log(high)
        value = math.exp(_stepped(math.log(value), size * (ends[1] - ends[0]), up, *ends))
    else:
        value = _stepped(value, size * (high - low), up, low, high)
    return min(max(float(f"{value:.4g}"), float(low)), float(high))


def _stepped(value: float, step: float, up: bool, low: float, high: float) -> float:
    """Away from the value, and the other way where that would lead out of the range."""
    there = value + step if up else value - step
    if low <= there <= high:
        return there
    back = value - step if up else value + step
    return min(max(back, low), high)


def has_room(draw: Draw) -> bool:
    """Whether it is a range that holds more than one value."""
    return draw.kind != "choice" and bool(draw.values[0] < draw.values[1])


def shares_of(steps: Sequence[Step]) -> list[tuple[float, float]]:
    """How far the draws of each step move: ``NEAR`` before the first dear step, ``FAR`` from it on."""
    first = next((number for number, step in enumerate(steps) if step.dear), 0)
    return [NEAR if number < first else FAR for number in range(len(steps))]


def drawn_anew(
    written: Sequence[Step], concrete: Sequence[Step], folder: Path, recipe: str
) -> tuple[str, ...]:
    """The steps whose random streams are a variation's own.

    Of the dear ones that use chance all but the first, or the only one; in a recipe without any, where no
    step has a range either, the last of all that use chance.

    Args:
        written: the steps as the recipe has them.
        concrete: the same with every draw made.
        folder: the recipe's.
        recipe: names the recipe in a message.

    Returns:
        Their names; none where ranges suffice.

    Raises:
        ArtgenError: a variation would be its parent again: nothing of all this is there.
    """
    usual = [step for step in concrete if step.by_chance(folder)]
    dear = tuple(step.name for step in usual if step.dear)
    if dear:
        return dear[1:] or dear
    if any(has_room(draw) for step in written for draw in draws_of(step).values()):
        return ()
    if not usual:
        right = "give a step a range, such as noise = { uniform = [0.4, 1] }"
        raise ArtgenError(f"{recipe}: variations", "its steps leave nothing to chance", right, "artgen steps")
    return (usual[-1].name,)


def draws_of(part: Any) -> dict[str, Draw]:
    """The draws of a source or step, by field."""
    fields = ((name, getattr(part, name)) for name in type(part).model_fields)
    return {name: value for name, value in fields if isinstance(value, Draw)}
