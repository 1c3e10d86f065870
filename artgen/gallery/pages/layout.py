"""Justified rows: which pieces are shown side by side, none of them cropped.

All pieces of a row share one height, so a row is as wide as the sum of its width-to-height ratios.
Rows alternate between about two and about three squares' worth of width, large and small, because a
wall of equal rows reads as a catalogue. The split is the optimal one (dynamic programming over the
places where a row may end, as Knuth and Plass break paragraphs: Software: Practice and Experience
11, 1981), which also keeps a lone square from filling the last row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

NARROW_ROW_RATIO, WIDE_ROW_RATIO = 2.0, 3.0
MAX_PIECES_PER_ROW = 5
CROWDED_ROW_COST_FACTOR = 3  # pieces hung too small are worse than pieces hung too large


def split_into_rows(ratios: Sequence[float]) -> list[list[int]]:
    """Split a series' pieces, in order, into justified rows.

    Args:
        ratios: width divided by height of each piece.

    Returns:
        The indices of each row; together they are ``range(len(ratios))``.
    """
    if not ratios:
        return []
    plans = [_find_cheapest_split(ratios, first) for first in (0, 1)]
    return min(plans, key=lambda plan: plan[0])[1]


def _find_cheapest_split(ratios: Sequence[float], first: int) -> tuple[float, list[list[int]]]:
    """Return the cheapest split into rows whose first aims at few (0) or many (1), with its cost."""
    count = len(ratios)
    best: dict[tuple[int, int], tuple[float, int]] = {(0, first): (0.0, 0)}
    for end in range(1, count + 1):
        for start in range(max(0, end - MAX_PIECES_PER_ROW), end):
            for aim in (0, 1):
                if (start, aim) not in best:
                    continue
                cost = best[start, aim][0] + _row_cost(sum(ratios[start:end]), aim)
                next_state = (end, 1 - aim)
                if next_state not in best or cost < best[next_state][0]:
                    best[next_state] = (cost, start)
    aim = min((aim for aim in (0, 1) if (count, aim) in best), key=lambda aim: best[count, aim][0])
    total, split, end = best[count, aim][0], [], count
    while end:
        start = best[end, aim][1]
        split.append(list(range(start, end)))
        end, aim = start, 1 - aim
    return total, split[::-1]


def _row_cost(width: float, aim: int) -> float:
    cost = math.log(width / (WIDE_ROW_RATIO if aim else NARROW_ROW_RATIO)) ** 2
    return cost * CROWDED_ROW_COST_FACTOR if width > WIDE_ROW_RATIO else cost
