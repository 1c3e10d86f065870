"""A taste learns what an artist keeps, says why, and never leaves anyone out."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from artgen.curation.ranking.draw_features import described
from artgen.curation.ranking.orders import diverse
from artgen.curation.ranking.taste import EVERY, Taste

Draws = list[dict[str, dict[str, Any]]]


def candidates(count: int, seed: int = 0) -> tuple[NDArray[np.float32], Draws]:
    chance = np.random.default_rng(seed)
    vectors = (chance.normal(size=(count, 40)) * np.geomspace(1, 0.02, 40)).astype(np.float32)
    draws: Draws = [
        {"style": {"style": [str(chance.choice(["wave", "kiss", "night"]))], "strength": chance.random()}}
        for _ in range(count)
    ]
    return vectors, draws


@st.composite
def decided(draw: st.DrawFn) -> tuple[NDArray[np.float32], Draws, list[int], list[int], dict[int, int]]:
    count = draw(st.integers(2, 40))
    vectors, draws = candidates(count, draw(st.integers(0, 5)))
    kind = draw(st.sampled_from(["all different", "pairs", "all alike", "no draws"]))
    if kind == "pairs":
        vectors = vectors[np.arange(count) // 2]
    elif kind == "all alike":
        vectors, draws = np.ones_like(vectors), [draws[0]] * count
    elif kind == "no draws":
        draws = [{}] * count
    shuffled = draw(st.permutations(range(count)))
    kept = draw(st.integers(1, count - 1))
    rejected = draw(st.integers(0, count - kept))
    stars = draw(st.dictionaries(st.sampled_from(shuffled), st.integers(1, 5)))
    return vectors, draws, list(shuffled[:kept]), list(shuffled[kept : kept + rejected]), stars


@settings(deadline=None, max_examples=50)
@given(decided())
def test_every_undecided_one_has_its_place_and_every_score_is_a_number(
    given_: tuple[NDArray[np.float32], Draws, list[int], list[int], dict[int, int]],
) -> None:
    vectors, draws, kept, rejected, stars = given_
    undecided = [row for row in range(len(vectors)) if row not in {*kept, *rejected}]
    orders = []
    for _ in range(2):
        opinion = Taste(vectors, draws).fit(kept, rejected, stars)
        orders.append(opinion.order(undecided))
        assert all(np.isfinite(opinion.score(row)) for row in range(len(vectors)))
        for row in range(len(vectors)):
            reasons = opinion.reasons(row)
            assert {other for other, _ in reasons} <= set(kept)
            assert len(reasons) == min(3, len(kept))
            assert all(0 <= likeness <= 1 for _, likeness in reasons)
            assert [likeness for _, likeness in reasons] == sorted((x for _, x in reasons), reverse=True)
    assert sorted(orders[0]) == undecided
    assert orders[0] == orders[1]


def wanted(kind: str, vectors: NDArray[np.float32], draws: Draws) -> NDArray[np.bool_]:
    styled = np.array([draw["style"]["style"] == ["kiss"] for draw in draws])
    strength = np.array([draw["style"]["strength"] for draw in draws])
    score = {
        "more of something": vectors[:, 0] + vectors[:, 3],
        "one kind": -np.linalg.norm(vectors[:, :3] - (0.8, -0.5, 0.4), axis=1),
        "one draw": styled * 2.0 + strength,
    }[kind]
    return score >= np.quantile(score, 0.92)


@pytest.mark.parametrize(("kind", "times"), [("more of something", 4), ("one kind", 2), ("one draw", 3)])
def test_taste_order_finds_several_times_as_many(kind: str, times: int) -> None:
    vectors, draws = candidates(1200)
    keeps, taste = wanted(kind, vectors, draws), Taste(vectors, draws)
    kept: list[int] = []
    rejected: list[int] = []
    order = diverse(vectors)
    while len(kept) + len(rejected) < 80:
        if kept and rejected:
            left = sorted(set(order) - {*kept, *rejected})
            order = taste.fit(kept, rejected, {}).order(left)
        for row in order[:5]:
            (kept if keeps[row] else rejected).append(row)
        order = order[5:]
    assert len(kept) >= times * 80 * keeps.mean()


def test_most_places_are_for_the_most_liked_and_some_for_those_that_teach() -> None:
    vectors, draws = candidates(300)
    keeps = wanted("more of something", vectors, draws)
    kept = np.flatnonzero(keeps)[:10].tolist()
    rejected = np.flatnonzero(~keeps)[:60].tolist()
    undecided = sorted(set(range(300)) - {*kept, *rejected})
    opinion = Taste(vectors, draws).fit(kept, rejected, {})
    order = opinion.order(undecided)
    liked = sorted(undecided, key=lambda row: -opinion.score(row))
    first = EVERY * 8
    assert len(set(order[:first]) & set(liked[:first])) >= first * (EVERY - 1) // EVERY
    assert set(order[:first]) != set(liked[:first])


def test_a_star_says_more_than_a_keep() -> None:
    vectors, draws = candidates(200)
    near = int(np.argsort(np.linalg.norm(vectors - vectors[0], axis=1))[1])
    taste = Taste(vectors, draws)
    plain, starred = (taste.fit([0, 5, 9], [20, 21, 22], stars).score(near) for stars in ({}, {0: 5}))
    assert starred > plain


def test_the_reason_is_the_kept_one_that_is_alike() -> None:
    vectors, draws = candidates(100)
    vectors[50], draws[50] = vectors[7], draws[7]
    reasons = Taste(vectors, draws).fit([3, 7, 11], [20, 30], {}).reasons(50)
    assert reasons[0] == (7, pytest.approx(1, abs=1e-3))
    assert reasons[1][1] < 0.95


def test_a_refit_of_five_thousand_after_six_hundred_decisions_is_quick() -> None:
    vectors, draws = candidates(5000)
    taste = Taste(vectors, draws)
    decided = np.random.default_rng(1).permutation(5000)[:600].tolist()
    begun = time.process_time()
    taste.fit(decided[:60], decided[60:], {}).order(range(5000))
    assert time.process_time() - begun < 1  # 0.1 measured


def test_draws_are_told_as_numbers() -> None:
    draws: Draws = [
        {"a": {"x": 1.0, "same": 3}, "b": {"word": "red"}},
        {"a": {"x": 3.0, "same": 3}, "b": {"word": "blue"}},
        {"a": {"x": 2.0, "same": 3}},
    ]
    numbers = described(draws)
    assert numbers.shape == (3, 3)
    assert np.allclose(numbers[:, 0], [-np.sqrt(1.5), np.sqrt(1.5), 0], atol=1e-5)
    assert np.isfinite(numbers).all()
    assert described([{}, {}]).shape == (2, 0)
