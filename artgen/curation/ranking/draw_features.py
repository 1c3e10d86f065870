"""Numeric features of the draws: what chance chose for each candidate, as numbers that can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_DRAWN_WORD_COLUMNS = 64
"""Different words of one field that get a column each; a field with more of them says little."""


def encode_draws(draws: Sequence[Mapping[str, Mapping[str, Any]]]) -> NDArray[np.float32]:
    """Encode each candidate's draws as a row of numbers: a column per number drawn, and one per word.

    Numbers are standardised, 0 where a candidate has none; words are 1 or 0, minus their mean. Every field
    counts as much as any other, whichever of the two it draws.

    Args:
        draws: of each candidate, by step and field; a list of words counts as several words.

    Returns:
        float32 ``(n, k)``; ``k`` may be 0.
    """
    fields = sorted({(step, field) for draw in draws for step, values in draw.items() for field in values})
    columns: list[NDArray[np.float64]] = []
    for step, field in fields:
        values = [draw.get(step, {}).get(field) for draw in draws]
        columns += _number_columns(values) if all(map(_is_number_or_none, values)) else _word_columns(values)
    return np.stack(columns, 1).astype(np.float32) if columns else np.zeros((len(draws), 0), np.float32)


def _is_number_or_none(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _number_columns(values: Sequence[Any]) -> list[NDArray[np.float64]]:
    """Return one standardised column of a drawn number, or none if all numbers are equal."""
    is_drawn = np.array([value is not None for value in values])
    column = np.array([0.0 if value is None else float(value) for value in values])
    drawn_values = column[is_drawn]
    deviation = drawn_values.std() if len(drawn_values) else 0.0
    if deviation > 1e-12:
        return [np.where(is_drawn, (column - drawn_values.mean()) / deviation, 0.0)]
    return []


def _word_columns(values: Sequence[Any]) -> list[NDArray[np.float64]]:
    """Return one centred column per drawn word, or none if there are too many words, or only one."""
    word_sets = [_to_word_set(value) for value in values]
    words = sorted({word for word_set in word_sets for word in word_set})
    if not 1 < len(words) <= MAX_DRAWN_WORD_COLUMNS:
        return []
    indicators = np.array([[float(word in word_set) for word in words] for word_set in word_sets])
    indicators -= indicators.mean(0)
    deviation = np.sqrt((indicators**2).sum(1).mean())
    return list((indicators / deviation).T) if deviation > 1e-12 else []


def _to_word_set(value: Any) -> set[str]:
    if value is None:
        return set()
    return {str(item) for item in value} if isinstance(value, list | tuple) else {str(value)}
