"""The taste learns what an artist keeps, gives reasons, and ranks every candidate."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from artgen.curation.ranking.draw_features import encode_draws
from artgen.curation.ranking.orders import order_by_diversity
from artgen.curation.ranking.taste import EXPLORATION_PERIOD, TasteModel

Draws = list[dict[str, dict[str, Any]]]


def make_candidates(count: int, seed: int = 0) -> tuple[NDArray[np.float32], Draws]:
    rng = np.random.default_rng(seed)
    vectors = (rng.normal(size=(count, 40)) * np.geomspace(1, 0.02, 40)).astype(np.float32)
    draws: Draws = [
        {"style": {"style": [str(rng.choice(["wave", "kiss", "night"]))], "strength": rng.random()}}
        for _ in range(count)
    ]
    return vectors, draws


@st.composite
def decided_candidates(
    draw: st.DrawFn,
) -> tuple[NDArray[np.float32], Draws, list[int], list[int], dict[int, int]]:
    count = draw(st.integers(2, 40))
    vectors, draws = make_candidates(count, draw(st.integers(0, 5)))
    variety = draw(st.sampled_from(["all different", "pairs", "all equal", "no draws"]))
    if variety == "pairs":
        vectors = vectors[np.arange(count) // 2]
    elif variety == "all equal":
        vectors, draws = np.ones_like(vectors), [draws[0]] * count
    elif variety == "no draws":
        draws = [{}] * count
    shuffled = draw(st.permutations(range(count)))
    kept_count = draw(st.integers(1, count - 1))
    rejected_count = draw(st.integers(0, count - kept_count))
    stars = draw(st.dictionaries(st.sampled_from(shuffled), st.integers(1, 5)))
    return (
        vectors,
        draws,
        list(shuffled[:kept_count]),
        list(shuffled[kept_count : kept_count + rejected_count]),
        stars,
    )


@settings(deadline=None, max_examples=50)
@given(decided_candidates())
def test_every_undecided_candidate_is_ranked_and_every_score_is_finite(
    case: tuple[NDArray[np.float32], Draws, list[int], list[int], dict[int, int]],
) -> None:
    vectors, draws, kept, rejected, stars = case
    undecided = [row for row in range(len(vectors)) if row not in {*kept, *rejected}]
    rankings = []
    for _ in range(2):
        taste = TasteModel(vectors, draws).fit(kept, rejected, stars)
        rankings.append(taste.rank(undecided))
        assert all(np.isfinite(taste.score(row)) for row in range(len(vectors)))
        for row in range(len(vectors)):
            closest = taste.find_closest_kept(row)
            assert {other for other, _ in closest} <= set(kept)
            assert len(closest) == min(3, len(kept))
            assert all(0 <= similarity <= 1 for _, similarity in closest)
            assert [similarity for _, similarity in closest] == sorted((x for _, x in closest), reverse=True)
    assert sorted(rankings[0]) == undecided
    assert rankings[0] == rankings[1]


def find_liked(artist_kind: str, vectors: NDArray[np.float32], draws: Draws) -> NDArray[np.bool_]:
    styled = np.array([draw["style"]["style"] == ["kiss"] for draw in draws])
    strength = np.array([draw["style"]["strength"] for draw in draws])
    score = {
        "more of something": vectors[:, 0] + vectors[:, 3],
        "one kind": -np.linalg.norm(vectors[:, :3] - (0.8, -0.5, 0.4), axis=1),
        "one draw": styled * 2.0 + strength,
    }[artist_kind]
    return score >= np.quantile(score, 0.92)


@pytest.mark.parametrize(
    ("artist_kind", "min_ratio"), [("more of something", 4), ("one kind", 2), ("one draw", 3)]
)
def test_taste_order_finds_several_times_as_many_liked_candidates(artist_kind: str, min_ratio: int) -> None:
    vectors, draws = make_candidates(1200)
    is_liked, taste = find_liked(artist_kind, vectors, draws), TasteModel(vectors, draws)
    kept: list[int] = []
    rejected: list[int] = []
    order = order_by_diversity(vectors)
    while len(kept) + len(rejected) < 80:
        if kept and rejected:
            undecided = sorted(set(order) - {*kept, *rejected})
            order = taste.fit(kept, rejected, {}).rank(undecided)
        for row in order[:5]:
            (kept if is_liked[row] else rejected).append(row)
        order = order[5:]
    assert len(kept) >= min_ratio * 80 * is_liked.mean()


def test_most_positions_are_for_the_most_liked_and_some_explore() -> None:
    vectors, draws = make_candidates(300)
    is_liked = find_liked("more of something", vectors, draws)
    kept = np.flatnonzero(is_liked)[:10].tolist()
    rejected = np.flatnonzero(~is_liked)[:60].tolist()
    undecided = sorted(set(range(300)) - {*kept, *rejected})
    taste = TasteModel(vectors, draws).fit(kept, rejected, {})
    order = taste.rank(undecided)
    liked = sorted(undecided, key=lambda row: -taste.score(row))
    first = EXPLORATION_PERIOD * 8
    assert (
        len(set(order[:first]) & set(liked[:first])) >= first * (EXPLORATION_PERIOD - 1) // EXPLORATION_PERIOD
    )
    assert set(order[:first]) != set(liked[:first])


def test_a_star_counts_more_than_a_keep() -> None:
    vectors, draws = make_candidates(200)
    nearest_row = int(np.argsort(np.linalg.norm(vectors - vectors[0], axis=1))[1])
    taste = TasteModel(vectors, draws)
    without_stars, with_stars = (
        taste.fit([0, 5, 9], [20, 21, 22], stars).score(nearest_row) for stars in ({}, {0: 5})
    )
    assert with_stars > without_stars


def test_the_closest_kept_candidate_is_the_equal_one() -> None:
    vectors, draws = make_candidates(100)
    vectors[50], draws[50] = vectors[7], draws[7]
    closest = TasteModel(vectors, draws).fit([3, 7, 11], [20, 30], {}).find_closest_kept(50)
    assert closest[0] == (7, pytest.approx(1, abs=1e-3))
    assert closest[1][1] < 0.95


def test_a_refit_of_five_thousand_after_six_hundred_decisions_is_quick() -> None:
    vectors, draws = make_candidates(5000)
    taste = TasteModel(vectors, draws)
    decided_rows = np.random.default_rng(1).permutation(5000)[:600].tolist()
    started_at = time.process_time()
    taste.fit(decided_rows[:60], decided_rows[60:], {}).rank(range(5000))
    assert time.process_time() - started_at < 1  # 0.1 measured


def test_draws_are_encoded_as_numbers() -> None:
    draws: Draws = [
        {"a": {"x": 1.0, "same": 3}, "b": {"word": "red"}},
        {"a": {"x": 3.0, "same": 3}, "b": {"word": "blue"}},
        {"a": {"x": 2.0, "same": 3}},
    ]
    features = encode_draws(draws)
    assert features.shape == (3, 3)
    assert np.allclose(features[:, 0], [-np.sqrt(1.5), np.sqrt(1.5), 0], atol=1e-5)
    assert np.isfinite(features).all()
    assert encode_draws([{}, {}]).shape == (2, 0)
