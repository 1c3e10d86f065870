"""Near-duplicates: candidates of one thumbnail, imagined again, graded a little otherwise, or mirrored."""

from __future__ import annotations

import numpy as np

from artgen.curation.ranking.orders import Vectors, distances

NEAR = 0.36
"""Distance of embeddings up to which two are near-duplicates. By ``benchmarks/taste.py --embedding`` 99 of a
hundred siblings are so near, and 1 of a hundred candidates has an unrelated one so near among 5,000."""
AT_ONCE = 512  # rows compared in one go: memory does not grow with the square of the run


def groups(vectors: Vectors) -> list[list[int]]:
    """Rows that are near-duplicates of one another, two or more in each group.

    Every group has a middle, and all are near that: a long chain of pictures, each a little unlike the last,
    does not become one group. The row with the most neighbours is the first middle and takes them along.

    Args:
        vectors: float32 ``(n, D)``, embeddings.

    Returns:
        Groups by their lowest row, each with the middle first and the others rising.
    """
    neighbours = _neighbours(vectors)
    free = np.ones(len(vectors), bool)
    found = []
    # Those with most neighbours first; a middle's neighbours that another took meanwhile stay with that.
    for middle in sorted(neighbours, key=lambda row: (-len(neighbours[row]), row)):
        if not free[middle]:
            continue
        others = [row for row in neighbours[middle].tolist() if free[row] and row != middle]
        if others:
            free[[middle, *others]] = False
            found.append([middle, *others])
    return sorted(found, key=min)


def _neighbours(vectors: Vectors) -> dict[int, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    found = {}
    for first in range(0, len(vectors), AT_ONCE):
        near = distances(vectors[first : first + AT_ONCE], vectors) <= NEAR
        for row in np.flatnonzero(near.sum(1) > 1):
            found[first + int(row)] = np.flatnonzero(near[row])
    return found
