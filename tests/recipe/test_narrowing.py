"""Draws narrowed towards what was kept."""

from __future__ import annotations

import math
import random
import statistics
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artgen.config.draws import Draw
from artgen.recipe import load_recipe
from artgen.recipe.narrowing import (
    MIN_PICKS_TO_DROP_OPTION,
    PickDraws,
    narrow_draw,
    narrow_recipe_draws,
)


@st.composite
def draws_with_values(draw_: Any) -> tuple[Draw, list[Any], list[float]]:
    """A range, values that it gave, and their weights."""
    kind = draw_(st.sampled_from(["uniform", "log_uniform", "integer"]))
    if kind == "integer":
        low = draw_(st.integers(-500, 500))
        made = Draw(kind, (low, low + draw_(st.integers(1, 500))))
    else:
        low = draw_(st.floats(1e-3, 1e3))
        made = Draw(kind, (low, low * draw_(st.floats(1.01, 1e3))))
    seeds = draw_(st.lists(st.integers(0, 1 << 32), min_size=1, max_size=40))
    values = [made.draw(random.Random(seed)) for seed in seeds]
    weights = draw_(st.lists(st.integers(1, 5), min_size=len(values), max_size=len(values)))
    return made, values, weights


@given(draws_with_values(), st.randoms())
def test_ranges(case: tuple[Draw, list[Any], list[float]], chance: random.Random) -> None:
    made, values, weights = case
    after = narrow_draw(made, values, weights)
    low, high = after.values
    assert after.kind == made.kind
    assert made.values[0] <= low < high <= made.values[1]
    assert low <= statistics.median_low(values) <= statistics.median_high(values) <= high
    if made.kind == "integer":
        assert type(low) is type(high) is int
    assert all(made.can_give(after.draw(random.Random(seed))) for seed in range(3))
    pairs = list(zip(values, weights, strict=True))
    chance.shuffle(pairs)
    assert narrow_draw(made, [v for v, _ in pairs], [w for _, w in pairs]) == after
    assert narrow_draw(made, values * 2, weights * 2).values[0] >= low - 1e-3 * abs(low)


def test_one_pick_leaves_a_third_and_many_no_less_than_a_tenth() -> None:
    made = Draw("uniform", (0.0, 3.0))
    assert narrow_draw(made, [1.5]).values == (1.0, 2.0)
    assert narrow_draw(made, [0.1]).values == (0.0, 1.0)
    assert narrow_draw(made, [3.0]).values == (2.0, 3.0)
    low, high = narrow_draw(made, [1.5] * 400).values
    assert high - low == pytest.approx(0.3, abs=0.002)
    assert narrow_draw(made, []) == made


def test_logarithmic_ranges_narrow_by_their_logarithm() -> None:
    low, high = narrow_draw(Draw("log_uniform", (1.0, 1000.0)), [math.sqrt(1000)]).values
    assert (low, high) == (pytest.approx(10, rel=1e-3), pytest.approx(100, rel=1e-3))


def test_the_middle_counts_and_one_far_off_does_not() -> None:
    made = Draw("uniform", (0.0, 1.0))
    low, high = narrow_draw(made, [0.4 + n / 100 for n in range(20)] + [1.0]).values
    assert 0.33 < low < 0.41
    assert high < 0.65
    _, high = narrow_draw(made, [0.4 + n / 100 for n in range(20)] + [1.0], [1.0] * 20 + [5.0]).values
    assert high == 1.0  # five stars are five picks


def test_taste_that_is_none_narrows_nothing() -> None:
    made = Draw("uniform", (0.0, 1.0))
    for seed in range(20):
        values = [made.draw(random.Random(100 * seed + n)) for n in range(30)]
        low, high = narrow_draw(made, values).values
        assert high - low > 0.7


def test_whole_numbers_keep_two() -> None:
    assert narrow_draw(Draw("integer", (1, 20)), [7] * 100).values == (6, 8)
    assert narrow_draw(Draw("integer", (1, 2)), [2] * 100).values == (1, 2)
    assert narrow_draw(Draw("integer", (4, 4)), [4]).values == (4, 4)


def test_a_choice_is_weighted_and_drops_only_when_sure() -> None:
    made = Draw("choice", ("a", "b", "c"))
    few = narrow_draw(made, ["a", "a"]).values
    assert set(few) == {"a", "b", "c"}
    assert few.count("a") > few.count("b") == few.count("c")
    assert narrow_draw(made, ["a"] * MIN_PICKS_TO_DROP_OPTION).values == ("a",)
    many = narrow_draw(made, ["a"] * 6 + ["b"] * 3).values
    assert (many.count("a"), many.count("b"), many.count("c")) == (2, 1, 0)
    assert narrow_draw(Draw("choice", ("a", "b", "b")), ["a"]).values.count("b") > 1  # its weights are kept


@given(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=60))
def test_choices(values: list[str]) -> None:
    made = Draw("choice", tuple("abcdefg"))
    after = narrow_draw(made, values)
    assert set(values) <= set(after.values) <= set(made.values)
    assert len(after.values) <= 24
    if len(values) >= MIN_PICKS_TO_DROP_OPTION:
        assert set(after.values) == set(values)


def test_a_choice_of_lists() -> None:
    made = Draw("choice", (["a", "b"], "c", 1.0, True))
    assert narrow_draw(made, [["a", "b"]] * MIN_PICKS_TO_DROP_OPTION).values == (["a", "b"],)
    assert not made.can_give(1)
    assert made.can_give(True)


def test_what_the_recipe_draws_no_more_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(
        '[source]\nuse = "crops"\nshapes = { uniform = [1.0, 2.0] }\n'
        '[[steps]]\nuse = "grain"\namount = { uniform = [0.0, 0.2] }\nsize = 1.4\n'
    )
    kept_ = [
        PickDraws(
            {"source": {"shapes": 1.5, "pieces": 3}, "grain": {"amount": 0.4, "size": 2.0}, "gone": {"x": 1}}
        ),
        PickDraws({"source": {"shapes": "wide"}}),
    ]
    shapes, amount = narrow_recipe_draws(load_recipe(tmp_path / "r.toml"), kept_)
    assert (shapes.field, shapes.pick_count, shapes.after.values) == ("source.shapes", 1, (1.333, 1.667))
    assert (amount.field, amount.pick_count, amount.after) == ("steps.grain.amount", 0, amount.before)


def test_what_a_family_has_in_common_counts_once(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(
        '[source]\nuse = "crops"\nshapes = { uniform = [1.0, 2.0] }\n'
        '[[steps]]\nuse = "grain"\namount = { uniform = [0.0, 0.2] }\n'
    )
    family = [
        PickDraws({"source": {"shapes": 1.5}, "grain": {"amount": n / 100}}, 1.0, "run 3") for n in range(4)
    ]
    shapes, amount = narrow_recipe_draws(load_recipe(tmp_path / "r.toml"), family)
    assert (shapes.pick_count, amount.pick_count) == (1, 4)
