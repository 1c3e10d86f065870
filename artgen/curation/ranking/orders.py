"""Orders by likeness: the most different first, or the most alike. A sort never leaves anything out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Rows = NDArray[np.intp]
DIRECTIONS = 24
"""Of the principal ones, in which distances are taken to spread out: they hold nine tenths of the variance,
and thousands of picks take a fifth of the time."""
COMPACT = 512  # picks between two sweeps that drop what has been placed


def diverse(vectors: Vectors) -> list[int]:
    """Farthest first: each row is the one least like all before it; the first is the most ordinary one.

    Gonzalez 1985, "Clustering to minimize the maximum intercluster distance". So the beginning of the order,
    however long, is spread over all there is, and the rest of it comes ever closer.

    Args:
        vectors: float32 ``(n, D)``.

    Returns:
        A permutation of ``range(n)``. The same vectors give the same; of equals the lower row comes first.
    """
    points = principal(vectors, DIRECTIONS)
    count = len(points)
    if count == 0:
        return []
    rows = np.arange(count)
    lengths = np.einsum("nd,nd->n", points, points)
    away = np.full(count, np.inf, np.float32)
    order = np.empty(count, np.intp)
    nearest = int(lengths.argmin())
    for place in range(count):
        order[place] = rows[nearest]
        here = lengths - 2 * (points @ points[nearest]) + lengths[nearest]
        np.minimum(away, here, out=away)
        away[nearest] = -np.inf
        if place % COMPACT == COMPACT - 1:
            left = away > -np.inf
            rows, points, lengths, away = rows[left], points[left], lengths[left], away[left]
        if len(rows):
            nearest = int(away.argmax())
    return [int(row) for row in order]


def like(vectors: Vectors, row: int) -> list[int]:
    """All rows by their distance from one, which comes first; of equals the lower row.

    Args:
        vectors: float32 ``(n, D)``.
        row: 0 to n - 1.
    """
    away = distances(vectors[row : row + 1], vectors)[0]
    away[row] = -1
    return [int(other) for other in np.argsort(away, kind="stable")]


def distances(ones: Vectors, others: Vectors) -> Vectors:
    """Euclidean, ``(n, D)`` and ``(m, D)`` to ``(n, m)``."""
    squares = np.einsum("nd,nd->n", ones, ones)[:, None] + np.einsum("md,md->m", others, others)
    squares -= 2 * (ones @ others.T)
    away: Vectors = np.sqrt(np.maximum(squares, 0))
    return away


def principal(vectors: Vectors, most: int) -> Vectors:
    """The vectors about their mean, in at most so many of their principal directions."""
    count, size = vectors.shape
    centred = vectors - vectors.mean(0) if count else vectors
    if size <= most or count == 0:
        return centred
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    axes = axes[:, ::-1][:, :most]
    axes *= np.sign(axes[np.abs(axes).argmax(0), np.arange(most)])  # an axis has no side of its own
    return np.ascontiguousarray(centred @ axes.astype(np.float32))


def spread(points: Vectors, chosen: Sequence[int], count: int, weight: Vectors | None = None) -> list[int]:
    """So many further rows, each far from those chosen before and, by its weight, wanted.

    Args:
        points: float32 ``(n, D)``.
        chosen: rows there from the beginning.
        count: how many more; fewer where there are no more.
        weight: ``(n,)``, above 0, multiplies distances.
    """
    away = np.full(len(points), np.inf, np.float32)
    taken = np.zeros(len(points), bool)
    if len(chosen):
        taken[list(chosen)] = True
        away = distances(points, points[list(chosen)]).min(1)
    found: list[int] = []
    for _ in range(min(count, int((~taken).sum()))):
        worth = away if np.isfinite(away).all() else np.ones(len(points), np.float32)
        worth = np.where(taken, -np.inf, worth if weight is None else worth * weight)
        row = int(worth.argmax())
        found.append(row)
        taken[row] = True
        away = np.minimum(away, distances(points, points[row : row + 1])[:, 0])
    return found
