"""What chance chose for each candidate, as numbers that can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_WORDS = 64
"""Values of one field that have a column of their own; a field of more tells little."""


def described(draws: Sequence[Mapping[str, Mapping[str, Any]]]) -> NDArray[np.float32]:
    """One row of numbers for each candidate: a column for every number drawn, one for every word.

    Numbers are standardised, 0 where a candidate has none; words are 1 or 0, about their mean. Whichever a
    field draws, it counts as much as any other.

    Args:
        draws: by step and field; lists of words are several words.

    Returns:
        float32 ``(n, k)``; ``k`` may be 0.
    """
    fields = sorted({(step, field) for draw in draws for step, values in draw.items() for field in values})
    columns: list[NDArray[np.float64]] = []
    for step, field in fields:
        values = [draw.get(step, {}).get(field) for draw in draws]
        columns += _numbers(values) if all(map(_is_number, values)) else _words(values)
    return np.stack(columns, 1).astype(np.float32) if columns else np.zeros((len(draws), 0), np.float32)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _numbers(values: Sequence[Any]) -> list[NDArray[np.float64]]:
    there = np.array([value is not None for value in values])
    column = np.array([0.0 if value is None else float(value) for value in values])
    known = column[there]
    deviation = known.std() if len(known) else 0.0
    return [np.where(there, (column - known.mean()) / deviation, 0.0)] if deviation > 1e-12 else []


def _words(values: Sequence[Any]) -> list[NDArray[np.float64]]:
    said = [_listed(value) for value in values]
    words = sorted({word for each in said for word in each})
    if not 1 < len(words) <= MOST_WORDS:
        return []
    found = np.array([[float(word in each) for word in words] for each in said])
    found -= found.mean(0)
    deviation = np.sqrt((found**2).sum(1).mean())
    return list((found / deviation).T) if deviation > 1e-12 else []


def _listed(value: Any) -> set[str]:
    if value is None:
        return set()
    return {str(each) for each in value} if isinstance(value, list | tuple) else {str(value)}
