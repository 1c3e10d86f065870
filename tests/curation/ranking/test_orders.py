"""Orders, near-duplicates and proposals: nobody is left out and nothing depends on chance."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from artgen.curation.ranking.duplicates import NEAR, groups
from artgen.curation.ranking.orders import diverse, like
from artgen.curation.ranking.proposal import proposed

Vectors = NDArray[np.float32]
# Few values, so that equal rows and equal distances are common.
VECTORS = st.tuples(st.integers(0, 40), st.integers(1, 30)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.sampled_from([-1.5, -0.1, 0.0, 0.1, 0.5, 2.0]))
)


def clusters(centres: int, each: int, apart: float = 2.0) -> Vectors:
    chance = np.random.default_rng(3)
    middles = np.repeat(chance.normal(size=(centres, 40)), each, 0)
    noise = chance.normal(size=middles.shape) * 0.01
    return (middles * apart + noise).astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(VECTORS)
def test_diverse_leaves_nobody_out_and_is_the_same_every_time(vectors: Vectors) -> None:
    order = diverse(vectors)
    assert sorted(order) == list(range(len(vectors)))
    assert diverse(vectors.copy()) == order


def test_diverse_begins_in_the_middle_and_visits_every_kind_before_any_again() -> None:
    vectors = clusters(30, 20)
    order = diverse(vectors)
    assert {row // 20 for row in order[:30]} == set(range(30))
    away = np.linalg.norm(vectors - vectors.mean(0), axis=1)
    assert away[order[0]] <= np.percentile(away, 10)
    equal = np.ones((7, 5), np.float32)
    assert diverse(equal) == list(range(7))


def test_diverse_and_groups_of_five_thousand_are_quick() -> None:
    vectors = np.random.default_rng(1).normal(size=(5000, 115)).astype(np.float32)
    for work in (diverse, groups):
        begun = time.process_time()
        work(vectors)
        assert time.process_time() - begun < 2  # 0.07 and 0.2 measured


@settings(deadline=None, max_examples=60)
@given(VECTORS.filter(len), st.data())
def test_like_begins_with_the_row_itself_and_only_goes_away(vectors: Vectors, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(vectors) - 1))
    order = like(vectors, row)
    assert order[0] == row
    assert sorted(order) == list(range(len(vectors)))
    away = np.linalg.norm(vectors - vectors[row], axis=1)[order]
    assert (np.diff(away) > -2e-3).all()


@settings(deadline=None, max_examples=60)
@given(VECTORS)
def test_groups_are_apart_and_nobody_is_far_from_the_middle(vectors: Vectors) -> None:
    found = groups(vectors)
    rows = [row for group in found for row in group]
    assert len(rows) == len(set(rows))
    for middle, *others in found:
        assert others
        assert max(np.linalg.norm(vectors[others] - vectors[middle], axis=1)) <= NEAR + 2e-3
    assert groups(vectors) == found


def test_siblings_are_one_group_and_a_chain_is_not() -> None:
    found = groups(clusters(50, 4))
    assert [sorted(group) for group in found] == [[*range(4 * n, 4 * n + 4)] for n in range(50)]
    chain = np.zeros((200, 3), np.float32)
    chain[:, 0] = np.arange(200) * NEAR * 0.9
    assert max(map(len, groups(chain))) <= 3
    assert groups(np.zeros((0, 5), np.float32)) == []
    assert groups(np.ones((5, 5), np.float32)) == [[0, 1, 2, 3, 4]]


@settings(deadline=None, max_examples=60)
@given(VECTORS.filter(len), st.integers(0, 50), st.data())
def test_a_proposal_is_some_of_the_kept_each_once(vectors: Vectors, count: int, data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.integers(0, len(vectors) - 1), unique=True))
    liking = data.draw(st.lists(st.floats(-1, 5), min_size=len(kept), max_size=len(kept)))
    chosen = proposed(vectors, kept, liking, count)
    assert set(chosen) <= set(kept)
    assert len(chosen) == len(set(chosen)) == min(count, len(kept))
    assert proposed(vectors, kept, liking, count) == chosen


def test_a_proposal_has_one_of_each_kind_and_of_twins_the_better_liked() -> None:
    vectors = clusters(6, 10)
    liking = np.tile(np.arange(10) / 10, 6)
    chosen = proposed(vectors, range(60), liking.tolist(), 6)
    assert {row // 10 for row in chosen} == set(range(6))
    assert np.mean(liking[chosen]) > 0.6
