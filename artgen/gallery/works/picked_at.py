"""When each pick of a run was made: the order of the wall, and the year on the label."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from artgen.runs import decision_log
from artgen.runs.history import KEPT


class Pick(NamedTuple):
    """``order`` rises with the time of picking, which is ``at``: UTC, ISO 8601."""

    order: int
    at: str


def picked(folder: Path) -> dict[int, Pick]:
    """By the candidate's number, when it was last kept; of those that are no picks any more, too."""
    picks: dict[int, Pick] = {}
    for action in decision_log.replay(folder):
        for change in action.rows:
            if change.field == "mark" and change.value == KEPT:
                picks.pop(change.candidate, None)
                picks[change.candidate] = Pick(len(picks), action.at)
    return {number: Pick(order, pick.at) for order, (number, pick) in enumerate(picks.items())}
