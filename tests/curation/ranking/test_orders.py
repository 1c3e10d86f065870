"""Orders, near-duplicates and proposals: no candidate is left out and nothing depends on chance."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from artgen.curation.ranking.duplicates import MAX_DUPLICATE_DISTANCE, find_duplicate_groups
from artgen.curation.ranking.orders import order_by_diversity, order_by_similarity
from artgen.curation.ranking.proposal import propose_final_set

Vectors = NDArray[np.float32]
# Few values, so that equal rows and equal distances are common.
VECTOR_ARRAYS = st.tuples(st.integers(0, 40), st.integers(1, 30)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.sampled_from([-1.5, -0.1, 0.0, 0.1, 0.5, 2.0]))
)


def make_clusters(cluster_count: int, per_cluster: int, spacing: float = 2.0) -> Vectors:
    rng = np.random.default_rng(3)
    centres = np.repeat(rng.normal(size=(cluster_count, 40)), per_cluster, 0)
    noise = rng.normal(size=centres.shape) * 0.01
    return (centres * spacing + noise).astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(VECTOR_ARRAYS)
def test_order_by_diversity_contains_every_row_and_is_reproducible(vectors: Vectors) -> None:
    order = order_by_diversity(vectors)
    assert sorted(order) == list(range(len(vectors)))
    assert order_by_diversity(vectors.copy()) == order


def test_order_by_diversity_begins_in_the_middle_and_with_one_of_each_cluster() -> None:
    vectors = make_clusters(30, 20)
    order = order_by_diversity(vectors)
    assert {row // 20 for row in order[:30]} == set(range(30))
    distances = np.linalg.norm(vectors - vectors.mean(0), axis=1)
    assert distances[order[0]] <= np.percentile(distances, 10)
    equal = np.ones((7, 5), np.float32)
    assert order_by_diversity(equal) == list(range(7))


def test_diversity_and_duplicates_of_five_thousand_are_quick() -> None:
    vectors = np.random.default_rng(1).normal(size=(5000, 115)).astype(np.float32)
    for function in (order_by_diversity, find_duplicate_groups):
        started_at = time.process_time()
        function(vectors)
        assert time.process_time() - started_at < 2  # 0.07 and 0.2 measured


@settings(deadline=None, max_examples=60)
@given(VECTOR_ARRAYS.filter(len), st.data())
def test_order_by_similarity_begins_with_the_row_and_distances_only_grow(
    vectors: Vectors, data: st.DataObject
) -> None:
    row = data.draw(st.integers(0, len(vectors) - 1))
    order = order_by_similarity(vectors, row)
    assert order[0] == row
    assert sorted(order) == list(range(len(vectors)))
    distances = np.linalg.norm(vectors - vectors[row], axis=1)[order]
    assert (np.diff(distances) > -2e-3).all()


@settings(deadline=None, max_examples=60)
@given(VECTOR_ARRAYS)
def test_groups_are_disjoint_and_close_to_their_centre(vectors: Vectors) -> None:
    groups = find_duplicate_groups(vectors)
    rows = [row for group in groups for row in group]
    assert len(rows) == len(set(rows))
    for centre, *others in groups:
        assert others
        assert max(np.linalg.norm(vectors[others] - vectors[centre], axis=1)) <= MAX_DUPLICATE_DISTANCE + 2e-3
    assert find_duplicate_groups(vectors) == groups


def test_siblings_are_one_group_and_a_chain_is_not() -> None:
    groups = find_duplicate_groups(make_clusters(50, 4))
    assert [sorted(group) for group in groups] == [[*range(4 * n, 4 * n + 4)] for n in range(50)]
    chain = np.zeros((200, 3), np.float32)
    chain[:, 0] = np.arange(200) * MAX_DUPLICATE_DISTANCE * 0.9
    assert max(map(len, find_duplicate_groups(chain))) <= 3
    assert find_duplicate_groups(np.zeros((0, 5), np.float32)) == []
    assert find_duplicate_groups(np.ones((5, 5), np.float32)) == [[0, 1, 2, 3, 4]]


@settings(deadline=None, max_examples=60)
@given(VECTOR_ARRAYS.filter(len), st.integers(0, 50), st.data())
def test_a_proposal_contains_kept_rows_each_once(vectors: Vectors, count: int, data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.integers(0, len(vectors) - 1), unique=True))
    liking = data.draw(st.lists(st.floats(-1, 5), min_size=len(kept), max_size=len(kept)))
    proposed = propose_final_set(vectors, kept, liking, count)
    assert set(proposed) <= set(kept)
    assert len(proposed) == len(set(proposed)) == min(count, len(kept))
    assert propose_final_set(vectors, kept, liking, count) == proposed


def test_a_proposal_has_one_of_each_cluster_and_the_better_liked_ones() -> None:
    vectors = make_clusters(6, 10)
    liking = np.tile(np.arange(10) / 10, 6)
    proposed = propose_final_set(vectors, range(60), liking.tolist(), 6)
    assert {row // 10 for row in proposed} == set(range(6))
    assert np.mean(liking[proposed]) > 0.6
