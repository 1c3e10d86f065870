"""Which pieces hang side by side: justified rows, no piece cropped.

All pieces of a row share one height, so a row is as wide as the sum of its width-to-height ratios.
Rows alternate between about two and about three squares' worth of width, large and small, because a
wall of equal rows reads as a catalogue. The split is the optimal one (dynamic programming over the
places where a row may end, as Knuth and Plass break paragraphs: Software: Practice and Experience
11, 1981), which also keeps a lone square from filling the last row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

FEW, MANY = 2.0, 3.0
LONGEST = 5
CROWDED = 3  # pieces hung too small are worse than pieces hung too large


def rows(ratios: Sequence[float]) -> list[list[int]]:
    """Split pieces, in order, into rows.

    Args:
        ratios: width divided by height of each piece.

    Returns:
        The indices of each row; together they are ``range(len(ratios))``.
    """
    if not ratios:
        return []
    plans = [_plan(ratios, first) for first in (0, 1)]
    return min(plans, key=lambda plan: plan[0])[1]


def _plan(ratios: Sequence[float], first: int) -> tuple[float, list[list[int]]]:
    """Return the cheapest split whose first row aims at few (0) or many (1), with its cost."""
    count = len(ratios)
    best: dict[tuple[int, int], tuple[float, int]] = {(0, first): (0.0, 0)}
    for end in range(1, count + 1):
        for start in range(max(0, end - LONGEST), end):
            for aim in (0, 1):
                if (start, aim) not in best:
                    continue
                cost = best[start, aim][0] + _cost(sum(ratios[start:end]), aim)
                after = (end, 1 - aim)
                if after not in best or cost < best[after][0]:
                    best[after] = (cost, start)
    aim = min((aim for aim in (0, 1) if (count, aim) in best), key=lambda aim: best[count, aim][0])
    total, split, end = best[count, aim][0], [], count
    while end:
        start = best[end, aim][1]
        split.append(list(range(start, end)))
        end, aim = start, 1 - aim
    return total, split[::-1]


def _cost(width: float, aim: int) -> float:
    cost = math.log(width / (MANY if aim else FEW)) ** 2
    return cost * CROWDED if width > MANY else cost
