"""Rows of a series."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artgen.gallery.pages.layout import split_into_rows


@pytest.mark.parametrize(
    ("count", "lengths"),
    [
        (0, []),
        (1, [1]),
        (2, [2]),
        (3, [3]),
        (4, [2, 2]),
        (5, [2, 3]),
        (8, [3, 2, 3]),
        (12, [2, 3, 2, 3, 2]),
        (13, [3, 2, 3, 2, 3]),
    ],
)
def test_squares_hang_in_twos_and_threes(count: int, lengths: list[int]) -> None:
    assert [len(row) for row in split_into_rows([1.0] * count)] == lengths


def test_a_panorama_gets_a_row_of_its_own() -> None:
    assert split_into_rows([1, 1, 3.0, 1, 1]) == [[0, 1], [2], [3, 4]]


@given(st.lists(st.floats(0.2, 5.0), max_size=60))
def test_every_piece_hangs_once_in_order(ratios: list[float]) -> None:
    split = split_into_rows(ratios)
    assert [at for row in split for at in row] == list(range(len(ratios)))
    assert all(row for row in split)
