"""Near-duplicates: candidates with the same thumbnail, re-imagined, slightly regraded, or mirrored."""

from __future__ import annotations

import numpy as np

from artgen.curation.ranking.orders import VectorArray, pairwise_distances

MAX_DUPLICATE_DISTANCE = 0.36
"""Distance of embeddings up to which two candidates are near-duplicates. ``benchmarks/taste.py --embedding``:
99 of 100 siblings are closer, and 1 of 100 candidates has an unrelated one that is closer among 5,000."""
VECTORS_PER_BLOCK = 512  # compared at once: memory does not grow with the square of the run


def find_duplicate_groups(vectors: VectorArray) -> list[list[int]]:
    """Group the candidates whose embeddings are near-duplicates, two or more in each group.

    Every group has a centre, and all its rows are close to that: a long chain of pictures, each a little
    different from the last, does not become one group. The row with the most neighbours is the first centre,
    and its neighbours join its group.

    Args:
        vectors: float32 ``(n, D)``, embeddings.

    Returns:
        Groups sorted by their lowest row, each with the centre first and then the others, rising.
    """
    neighbours = _find_neighbours(vectors)
    is_ungrouped = np.ones(len(vectors), bool)
    duplicate_groups = []
    # Most neighbours first; neighbours that already belong to another centre stay with that.
    for centre in sorted(neighbours, key=lambda row: (-len(neighbours[row]), row)):
        if not is_ungrouped[centre]:
            continue
        others = [row for row in neighbours[centre].tolist() if is_ungrouped[row] and row != centre]
        if others:
            is_ungrouped[[centre, *others]] = False
            duplicate_groups.append([centre, *others])
    return sorted(duplicate_groups, key=min)


def _find_neighbours(vectors: VectorArray) -> dict[int, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Return the embeddings close to each one, itself included, where there are such neighbours."""
    neighbours = {}
    for start in range(0, len(vectors), VECTORS_PER_BLOCK):
        block_distances = pairwise_distances(vectors[start : start + VECTORS_PER_BLOCK], vectors)
        is_near = block_distances <= MAX_DUPLICATE_DISTANCE
        for row in np.flatnonzero(is_near.sum(1) > 1):
            neighbours[start + int(row)] = np.flatnonzero(is_near[row])
    return neighbours
