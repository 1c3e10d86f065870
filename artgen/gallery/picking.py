"""When each pick of a run was made: the order of the wall, and the year on the label."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from artgen.runs import journal
from artgen.runs.history import KEPT


class Pick(NamedTuple):
    """``order`` rises with the time of picking; ``year`` is UTC's."""

    order: int
    year: int | None


def picked(folder: Path) -> dict[int, Pick]:
    """By the candidate's number, when it was last kept; of those that are no picks any more, too."""
    picks: dict[int, Pick] = {}
    for action in journal.replay(folder):
        for change in action.rows:
            if change.field == "mark" and change.value == KEPT:
                year = action.at[:4]
                picks.pop(change.candidate, None)
                picks[change.candidate] = Pick(len(picks), int(year) if year.isdecimal() else None)
    return {number: Pick(order, pick.year) for order, (number, pick) in enumerate(picks.items())}
