"""Orders of candidates by their embeddings: most different first, or most similar to one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

VectorArray = NDArray[np.float32]
"""Embeddings or other points, float32 ``(n, D)``."""
RowArray = NDArray[np.intp]
"""Row indices ``(n,)``."""
DIVERSITY_AXES = 24
"""Principal axes in which ``order_by_diversity`` measures distances: they hold nine tenths of the variance,
and ordering thousands of candidates takes a fifth of the time."""
PICKS_PER_COMPACTION = 512
"""Rows that ``order_by_diversity`` picks before it removes the picked ones from its arrays."""


def order_by_diversity(vectors: VectorArray) -> list[int]:
    """Order candidates farthest first: each is the least similar to all before it.

    Gonzalez 1985, "Clustering to minimize the maximum intercluster distance". The beginning of the order,
    however long, is therefore spread over all candidates, and later rows fill the gaps more and more closely.

    Args:
        vectors: float32 ``(n, D)``.

    Returns:
        A permutation of ``range(n)``, the same for the same vectors; of equal rows the lower comes first.
    """
    points = project_to_principal_axes(vectors, DIVERSITY_AXES)
    count = len(points)
    if count == 0:
        return []
    rows = np.arange(count)
    squared_norms = np.einsum("nd,nd->n", points, points)
    min_squared_distances = np.full(count, np.inf, np.float32)
    order = np.empty(count, np.intp)
    next_index = int(squared_norms.argmin())
    for position in range(count):
        order[position] = rows[next_index]
        squared_distances = squared_norms - 2 * (points @ points[next_index]) + squared_norms[next_index]
        np.minimum(min_squared_distances, squared_distances, out=min_squared_distances)
        min_squared_distances[next_index] = -np.inf
        if position % PICKS_PER_COMPACTION == PICKS_PER_COMPACTION - 1:
            remaining = min_squared_distances > -np.inf
            rows, points = rows[remaining], points[remaining]
            squared_norms, min_squared_distances = squared_norms[remaining], min_squared_distances[remaining]
        if len(rows):
            next_index = int(min_squared_distances.argmax())
    return [int(row) for row in order]


def order_by_similarity(vectors: VectorArray, row: int) -> list[int]:
    """Order all candidates by their embeddings' distance from one of them, which comes first.

    Args:
        vectors: float32 ``(n, D)``.
        row: 0 to n - 1.
    """
    distances = pairwise_distances(vectors[row : row + 1], vectors)[0]
    distances[row] = -1
    return [int(other) for other in np.argsort(distances, kind="stable")]


def pairwise_distances(points: VectorArray, other_points: VectorArray) -> VectorArray:
    """Return the Euclidean distances ``(n, m)`` between embeddings ``(n, D)`` and ``(m, D)``."""
    squared_norms = np.einsum("nd,nd->n", points, points)[:, None]
    squares = squared_norms + np.einsum("md,md->m", other_points, other_points)
    squares -= 2 * (points @ other_points.T)
    distances: VectorArray = np.sqrt(np.maximum(squares, 0))
    return distances


def project_to_principal_axes(vectors: VectorArray, max_axes: int) -> VectorArray:
    """Return embeddings minus their mean, projected to at most ``max_axes`` principal axes."""
    count, size = vectors.shape
    centred = vectors - vectors.mean(0) if count else vectors
    if size <= max_axes or count == 0:
        return centred
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    axes = axes[:, ::-1][:, :max_axes]
    # The sign of an axis is arbitrary: make the largest component positive.
    axes *= np.sign(axes[np.abs(axes).argmax(0), np.arange(max_axes)])
    return np.ascontiguousarray(centred @ axes.astype(np.float32))


def pick_spread_rows(
    points: VectorArray, chosen_rows: Sequence[int], count: int, weights: VectorArray | None = None
) -> list[int]:
    """Pick more candidates, each as far as possible from all chosen before it, by weight.

    Args:
        points: float32 ``(n, D)``.
        chosen_rows: rows that are chosen already.
        count: how many more; fewer are returned if there are fewer.
        weights: ``(n,)``, above 0; None: all are equal.
    """
    distances = np.full(len(points), np.inf, np.float32)
    is_chosen = np.zeros(len(points), bool)
    if len(chosen_rows):
        is_chosen[list(chosen_rows)] = True
        distances = pairwise_distances(points, points[list(chosen_rows)]).min(1)
    picked_rows: list[int] = []
    for _ in range(min(count, int((~is_chosen).sum()))):
        scores = distances if np.isfinite(distances).all() else np.ones(len(points), np.float32)
        scores = np.where(is_chosen, -np.inf, scores if weights is None else scores * weights)
        row = int(scores.argmax())
        picked_rows.append(row)
        is_chosen[row] = True
        distances = np.minimum(distances, pairwise_distances(points, points[row : row + 1])[:, 0])
    return picked_rows
