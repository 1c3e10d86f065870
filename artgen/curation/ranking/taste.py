"""Taste: what an artist will keep, predicted from what was kept and rejected so far.

Gaussian process regression (Rasmussen and Williams 2006, chapters 2 and 5) on the candidates' embeddings and
draws. The observations are the marks, kept 1 and rejected -1. The kernel is the sum of a linear part, for a
taste such as "the warmer the better", and a local part, for "similar to this one". The length scale of the
local part and the weight of the draws are chosen after every decision by the likelihood of the marks.

A taste only sorts: every undecided candidate has its position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artgen.curation.ranking.draw_features import encode_draws
from artgen.curation.ranking.orders import (
    RowArray,
    VectorArray,
    pairwise_distances,
    pick_spread_rows,
    project_to_principal_axes,
)

TASTE_AXES = 32
"""Principal axes of the embeddings that a taste uses."""
WHITENING_POWERS = (0.1, 0.6)
"""How far the axes are scaled to equal length: 0 leaves them as in the embedding, so that what varies most
counts most; 1 makes them equal, so that a small difference can decide."""
KERNEL_LENGTH_SCALES = (0.7, 1.2, 2.0)
"""Length scales of the local part, in typical distances between two candidates."""
KERNEL_DRAW_WEIGHTS = (0.0, 0.5, 1.5)
"""Weights of the draws relative to the embeddings."""
KERNEL_LINEAR_SHARES = (0.0, 0.3)
"""Shares of the linear part. Without it, a taste for one kind does not ask for ever more of it."""
MARK_NOISE_VARIANCE = 0.15
"""Variance of a mark: artists change their minds."""
MARK_PRECISION_PER_STAR = 0.5
"""Each star makes a keep more certain: the noise variance is divided by 1 + 0.5 times the stars."""
MAX_KERNEL_DECISIONS = 240
"""Decisions by which the kernel is chosen: at most half of them kept ones, and the last rejected ones."""
EXPLORATION_PERIOD = 5
"""One of so many positions explores: in turn it is for an uncertain candidate and for a different one."""
MAX_EXPLORATION_POSITIONS = 400
"""Positions at the beginning of an order that explore; an artist who gets further has decided meanwhile."""


class TasteKernel(NamedTuple):
    """Parameters of the covariance between the likings of two candidates.

    Args:
        length_scale: of the local part, in typical distances.
        linear_share: share of the linear part.
        draw_weight: weight of the draws relative to the embeddings.
        whitening_power: how far small differences of the embeddings are magnified.
    """

    length_scale: float = KERNEL_LENGTH_SCALES[1]
    linear_share: float = KERNEL_LINEAR_SHARES[1]
    draw_weight: float = KERNEL_DRAW_WEIGHTS[1]
    whitening_power: float = WHITENING_POWERS[0]


class TasteModel:
    """A run's candidates, prepared so that the artist's taste can be fitted to decisions.

    Args:
        vectors: float32 ``(n, D)``, embeddings.
        draws: what chance chose for each row, by step and field.
    """

    def __init__(self, vectors: VectorArray, draws: Sequence[Mapping[str, Mapping[str, Any]]]) -> None:
        self._whitened_embeddings = {power: _whiten(vectors, power) for power in WHITENING_POWERS}
        self._draw_features = _centre_and_scale(encode_draws(draws))
        self._points_cache: dict[tuple[float, float], VectorArray] = {}

    def fit(
        self, kept_rows: Sequence[int], rejected_rows: Sequence[int], stars: Mapping[int, int]
    ) -> FittedTaste:
        """Predict the artist's liking of all candidates from the decided ones.

        Args:
            kept_rows: rows of kept candidates, at least one.
            rejected_rows: rows of rejected candidates.
            stars: 1 to 5, of rows that have any; a kept one with stars counts more.
        """
        decided_rows = [*kept_rows, *rejected_rows]
        marks = np.array([1.0] * len(kept_rows) + [-1.0] * len(rejected_rows))
        kept_precisions = [1 + MARK_PRECISION_PER_STAR * stars.get(row, 0) for row in kept_rows]
        noise_variances = MARK_NOISE_VARIANCE / np.array(kept_precisions + [1.0] * len(rejected_rows))
        recent = _recent_positions(len(kept_rows), len(rejected_rows))
        recent_rows = [decided_rows[position] for position in recent]
        kernel = self._choose_kernel(recent_rows, marks[recent], noise_variances[recent])
        points = self._points(kernel)
        covariance = _covariance(points, points[decided_rows], kernel)
        inverse = np.linalg.inv(covariance[decided_rows] + np.diag(noise_variances))
        prior_mean = _prior_mean(marks)
        mean = prior_mean + covariance @ (inverse @ (marks - prior_mean))
        explained_variance = np.einsum("nm,nm->n", covariance @ inverse, covariance)
        squared_norms = np.einsum("nd,nd->n", points, points)
        prior_variance = kernel.linear_share * squared_norms + 1 - kernel.linear_share
        deviation = np.sqrt(np.maximum(prior_variance - explained_variance, 1e-9))
        embeddings, kept = self._whitened_embeddings[WHITENING_POWERS[0]], list(kept_rows)
        return FittedTaste(embeddings, points, kept, decided_rows, mean, deviation, kernel.length_scale)

    def _choose_kernel(
        self, rows: Sequence[int], marks: NDArray[np.float64], noise_variances: NDArray[np.float64]
    ) -> TasteKernel:
        """Return the taste's kernel under which the artist's marks are most likely."""

        def log_likelihood(kernel: TasteKernel) -> float:
            points = self._points(kernel)[rows]
            covariance = _covariance(points, points, kernel) + np.diag(noise_variances)
            cholesky_factor = np.linalg.cholesky(covariance)
            residuals = np.linalg.solve(cholesky_factor, marks - _prior_mean(marks))
            return float(-0.5 * residuals @ residuals - np.log(np.diag(cholesky_factor)).sum())

        # The best weights depend little on the length scale: choosing them one after the other is a third of
        # the work of choosing them together.
        has_draws = self._draw_features.shape[1] > 0
        kernel = TasteKernel() if has_draws else TasteKernel(draw_weight=0)
        kernel = max(
            (
                kernel._replace(length_scale=length_scale, linear_share=linear_share)
                for length_scale, linear_share in product(KERNEL_LENGTH_SCALES, KERNEL_LINEAR_SHARES)
            ),
            key=log_likelihood,
        )
        draw_weights = KERNEL_DRAW_WEIGHTS if has_draws else KERNEL_DRAW_WEIGHTS[:1]
        kernels = (
            kernel._replace(draw_weight=draw_weight, whitening_power=power)
            for draw_weight, power in product(draw_weights, WHITENING_POWERS)
        )
        return max(kernels, key=log_likelihood)

    def _points(self, kernel: TasteKernel) -> VectorArray:
        """Return embeddings and weighted draws as one point per candidate, of mean square length 1."""
        key = kernel.draw_weight, kernel.whitening_power
        if key not in self._points_cache:
            embeddings = self._whitened_embeddings[kernel.whitening_power]
            weighted_draws = kernel.draw_weight * self._draw_features
            self._points_cache[key] = _centre_and_scale(np.hstack([embeddings, weighted_draws]))
        return self._points_cache[key]


@dataclass(frozen=True)
class FittedTaste:
    """The artist's taste fitted to some decisions, with its prediction for every candidate.

    Args:
        whitened_embeddings: ``(n, d)``.
        points: ``(n, e)``, embeddings and draws as this taste weighs them.
        kept_rows: rows of kept candidates.
        decided_rows: rows of kept and rejected candidates.
        mean: ``(n,)``, predicted liking of each candidate, about -1 to 1.
        deviation: ``(n,)``, standard deviation of that prediction.
        length_scale: distance within which candidates are liked similarly.
    """

    whitened_embeddings: VectorArray
    points: VectorArray
    kept_rows: list[int]
    decided_rows: list[int]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    length_scale: float

    def score(self, row: int) -> float:
        """Return how much a candidate is liked: about 1 as the kept ones, -1 as the rejected ones."""
        return float(self.mean[row])

    def rank(self, undecided_rows: Sequence[int]) -> list[int]:
        """Order undecided candidates, most liked first, with every fifth position for exploration.

        In turn that position is for the most promising uncertain candidate (highest sum of mean and
        deviation) and for the one farthest from everything decided or placed before. Positions are counted
        from the first decision on, so that an artist who decides only the first of each order meets them too.

        Args:
            undecided_rows: rows without those decided.

        Returns:
            The same rows, each once; the same decisions give the same order.
        """
        rows = np.asarray(undecided_rows, np.intp)
        by_mean = rows[np.argsort(-self.mean[rows], kind="stable")]
        by_upper_bound = rows[np.argsort(-(self.mean + self.deviation)[rows], kind="stable")]
        mixed_count = min(len(rows), MAX_EXPLORATION_POSITIONS)
        exploring_positions = [
            position
            for position in range(mixed_count)
            if (position + len(self.decided_rows)) % EXPLORATION_PERIOD == EXPLORATION_PERIOD - 1
        ]
        farthest = self._pick_farthest(rows, len(exploring_positions))
        placed_rows: dict[int, None] = {}
        queues = [iter(queue.tolist()) for queue in (by_mean, by_upper_bound, farthest)]
        for position in range(mixed_count):
            period = (position + len(self.decided_rows)) // EXPLORATION_PERIOD
            queue = queues[1 + period % 2 if position in exploring_positions else 0]
            placed_rows[next(row for row in chain(queue, queues[0]) if row not in placed_rows)] = None
        return list(placed_rows | dict.fromkeys(by_mean.tolist()))

    def find_closest_kept(self, row: int, max_count: int = 3) -> list[tuple[int, float]]:
        """Return the kept candidates that are most similar to one, as this taste sees similarity.

        Returns:
            Rows with their similarity: 1 the same, 0 nothing in common; the closest first.
        """
        distances = pairwise_distances(self.points[[row]], self.points[self.kept_rows])[0].astype(np.float64)
        similarities = np.exp(-(distances**2) / (2 * self.length_scale**2))
        order = np.argsort(distances, kind="stable")[:max_count]
        return [(self.kept_rows[position], float(similarities[position])) for position in order.tolist()]

    def _pick_farthest(self, rows: RowArray, count: int) -> RowArray:
        """Return some of the candidates, each far from everything decided and those before it."""
        decided_count = len(self.decided_rows)
        points = self.whitened_embeddings[[*self.decided_rows, *rows]]
        positions = pick_spread_rows(points, range(decided_count), count)
        return rows[np.array(positions, np.intp) - decided_count]


def _whiten(vectors: VectorArray, power: float) -> VectorArray:
    """Project embeddings to principal axes, divided by their deviation to ``power``; mean square length 1."""
    points = project_to_principal_axes(vectors, TASTE_AXES)
    deviations = points.std(0)
    min_deviation = max(float(deviations.max(initial=0.0)) * 0.02, 1e-6)
    return _centre_and_scale(points / np.maximum(deviations, min_deviation) ** power)


def _centre_and_scale(points: VectorArray) -> VectorArray:
    """Subtract the points' mean and scale them to mean square length 1; equal points become zeros."""
    centred = points - points.mean(0) if len(points) else points
    length = float(np.sqrt((centred**2).sum(1).mean())) if centred.size else 0.0
    return (centred / length if length > 1e-6 else np.zeros_like(centred)).astype(np.float32)


def _covariance(points: VectorArray, other_points: VectorArray, kernel: TasteKernel) -> NDArray[np.float64]:
    """Return the prior covariances ``(n, m)`` of the likings of ``(n, d)`` and ``(m, d)`` points."""
    dot_products = points @ other_points.T
    squared_norms = np.einsum("nd,nd->n", points, points)[:, None]
    squared_norms = squared_norms + np.einsum("md,md->m", other_points, other_points)
    local = np.exp((dot_products * 2 - squared_norms) / (2 * kernel.length_scale**2))
    covariance = kernel.linear_share * dot_products + (1 - kernel.linear_share) * local
    as_float64: NDArray[np.float64] = covariance.astype(np.float64)
    return as_float64


def _prior_mean(marks: NDArray[np.float64]) -> float:
    """Return the liking of a candidate of which nothing is known: the mean mark, drawn towards rejected."""
    return float((marks.sum() - 2) / (len(marks) + 2))


def _recent_positions(kept_count: int, rejected_count: int) -> NDArray[np.intp]:
    """Return the positions, in the kept followed by the rejected, by which the kernel is chosen."""
    kept_used = min(kept_count, MAX_KERNEL_DECISIONS // 2)
    first_rejected = kept_count + max(0, rejected_count - (MAX_KERNEL_DECISIONS - kept_used))
    return np.array(
        [*range(kept_count - kept_used, kept_count), *range(first_rejected, kept_count + rejected_count)],
        np.intp,
    )
