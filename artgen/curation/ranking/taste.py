"""A taste: what an artist will keep, guessed from what was kept and rejected so far.

Gaussian process regression (Rasmussen and Williams 2006, chapters 2 and 5) on the candidates' looks and
draws: marks are values, kept 1 and rejected -1; the kernel is a sum of a linear part, by which a taste says
"the warmer the better", and a local one, by which it says "like this one". How local it is, and how much
the draws count, is chosen after every decision by the likelihood of the marks.

It sorts and never leaves out: every undecided candidate has its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artgen.curation.ranking.draw_features import described
from artgen.curation.ranking.orders import Rows, Vectors, distances, principal, spread

AXES = 32
"""Principal directions of the looks that count."""
WHITENED = (0.1, 0.6)
"""How far these are made equally long: 0 leaves them as the embedding has them, so that what varies most
counts most; 1 wholly, so that a small difference may be what matters."""
LOCAL = (0.7, 1.2, 2.0)
"""Ranges of the local part, in typical distances of two candidates."""
DRAWN = (0.0, 0.5, 1.5)
"""Weights of the draws against the looks."""
LINEAR = (0.0, 0.3)
"""Shares of the linear part. Without it a taste for one kind does not ask for ever more of it."""
NOISE = 0.15
"""Variance of a mark: an artist changes their mind."""
STAR = 0.5
"""Each star makes a keep so much firmer: the noise is divided by 1 and as many halves."""
RECENT = 240
"""Decisions by which ranges and weights are chosen: all kept ones, if not more, and the last rejected."""
EVERY = 5
"""Of so many places one is not for the most liked: in turn it is for an uncertain and for a diverse one."""
MIXED = 400
"""Places at the beginning of an order that are mixed; who gets so far has decided in between."""


class Kernel(NamedTuple):
    """How alike two candidates are for a taste.

    Args:
        local: range, in typical distances.
        linear: share of the linear part.
        drawn: weight of the draws.
        whitened: how far small differences of looks are magnified.
    """

    local: float = LOCAL[1]
    linear: float = LINEAR[1]
    drawn: float = DRAWN[1]
    whitened: float = WHITENED[0]


class Taste:
    """What is known of a run's candidates before the first decision.

    Args:
        vectors: float32 ``(n, D)``, embeddings.
        draws: what chance chose for each row, by step and field.
    """

    def __init__(self, vectors: Vectors, draws: Sequence[Mapping[str, Mapping[str, Any]]]) -> None:
        self._looks = {whitened: _whitened(vectors, whitened) for whitened in WHITENED}
        self._drawn = _unit(described(draws))
        self._known: dict[tuple[float, float], Vectors] = {}

    def fit(self, kept: Sequence[int], rejected: Sequence[int], stars: Mapping[int, int]) -> Opinion:
        """Guess all the others from what was decided.

        Args:
            kept: rows, at least one.
            rejected: rows.
            stars: 1 to 5, of rows that have any; a kept one with stars counts more.
        """
        decided = [*kept, *rejected]
        marks = np.array([1.0] * len(kept) + [-1.0] * len(rejected))
        firm = np.array([1 + STAR * stars.get(row, 0) for row in kept] + [1.0] * len(rejected))
        recent = _recent(len(kept), len(rejected))
        kernel = self._chosen([decided[place] for place in recent], marks[recent], NOISE / firm[recent])
        points = self._points(kernel)
        between = _alike(points, points[decided], kernel)
        inverse = np.linalg.inv(between[decided] + np.diag(NOISE / firm))
        base = _base(marks)
        mean = base + between @ (inverse @ (marks - base))
        explained = np.einsum("nm,nm->n", between @ inverse, between)
        own = kernel.linear * np.einsum("nd,nd->n", points, points) + 1 - kernel.linear
        deviation = np.sqrt(np.maximum(own - explained, 1e-9))
        return Opinion(self._looks[WHITENED[0]], points, list(kept), decided, mean, deviation, kernel.local)

    def _chosen(self, rows: Sequence[int], marks: NDArray[np.float64], noise: NDArray[np.float64]) -> Kernel:
        """The kernel under which these marks are likeliest."""

        def likelihood(kernel: Kernel) -> float:
            points = self._points(kernel)[rows]
            covariance = _alike(points, points, kernel) + np.diag(noise)
            lower = np.linalg.cholesky(covariance)
            solved = np.linalg.solve(lower, marks - _base(marks))
            return float(-0.5 * solved @ solved - np.log(np.diag(lower)).sum())

        # What is alike depends little on how far: one after the other is a third of the work of all together.
        kernel = Kernel() if self._drawn.shape[1] else Kernel(drawn=0)
        kernel = max(
            (kernel._replace(local=far, linear=share) for far, share in product(LOCAL, LINEAR)),
            key=likelihood,
        )
        weights = DRAWN if self._drawn.shape[1] else DRAWN[:1]
        ways = (kernel._replace(drawn=weight, whitened=power) for weight, power in product(weights, WHITENED))
        return max(ways, key=likelihood)

    def _points(self, kernel: Kernel) -> Vectors:
        """Looks and draws side by side, one point for each candidate, of mean square length 1."""
        key = kernel.drawn, kernel.whitened
        if key not in self._known:
            self._known[key] = _unit(np.hstack([self._looks[kernel.whitened], kernel.drawn * self._drawn]))
        return self._known[key]


@dataclass(frozen=True)
class Opinion:
    """A taste after some decisions.

    Args:
        looks: ``(n, d)``, whitened embeddings.
        points: ``(n, e)``, looks and draws as this taste weighs them.
        kept: rows.
        decided: rows, kept and rejected.
        mean: ``(n,)``, how much each is liked, about -1 to 1.
        deviation: ``(n,)``, how uncertain that is.
        local: the range in which alike candidates are liked alike.
    """

    looks: Vectors
    points: Vectors
    kept: list[int]
    decided: list[int]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    local: float

    def score(self, row: int) -> float:
        """How much a candidate is liked: about 1 as those kept, -1 as those rejected."""
        return float(self.mean[row])

    def order(self, rows: Sequence[int]) -> list[int]:
        """The undecided, most liked first, and every fifth place for one that teaches.

        In turn that is the likeliest of the unknown (mean and deviation together are highest) and the one
        farthest from everything decided or placed before. Places are counted from the first decision on,
        so that also who decides only the first of each order meets them.

        Args:
            rows: without those decided.

        Returns:
            The same rows, each once; the same decisions give the same order.
        """
        given = np.asarray(rows, np.intp)
        liked = given[np.argsort(-self.mean[given], kind="stable")]
        hopeful = given[np.argsort(-(self.mean + self.deviation)[given], kind="stable")]
        count = min(len(given), MIXED)
        turns = [place for place in range(count) if (place + len(self.decided)) % EVERY == EVERY - 1]
        far = self._far(given, len(turns))
        placed: set[int] = set()
        order: list[int] = []
        lines = [iter(line.tolist()) for line in (liked, hopeful, far)]
        for place in range(count):
            number = (place + len(self.decided)) // EVERY
            line = lines[1 + number % 2 if place in turns else 0]
            row = next((row for row in line if row not in placed), None)
            if row is None:
                row = next(row for row in lines[0] if row not in placed)
            placed.add(row)
            order.append(row)
        return [*order, *(row for row in liked.tolist() if row not in placed)]

    def reasons(self, row: int, count: int = 3) -> list[tuple[int, float]]:
        """The kept candidates closest to one, as this taste sees it.

        Returns:
            Rows with their likeness: 1 the same, 0 nothing in common; the closest first.
        """
        away = distances(self.points[row : row + 1], self.points[self.kept])[0].astype(np.float64)
        likeness = np.exp(-(away**2) / (2 * self.local**2))
        order = np.argsort(away, kind="stable")[:count]
        return [(self.kept[place], float(likeness[place])) for place in order.tolist()]

    def _far(self, rows: Rows, count: int) -> Rows:
        places = spread(self.looks[[*self.decided, *rows]], range(len(self.decided)), count)
        return rows[np.array(places, np.intp) - len(self.decided)]


def _whitened(vectors: Vectors, power: float) -> Vectors:
    """Principal directions, the long ones shortened; mean square length 1."""
    points = principal(vectors, AXES)
    spans = points.std(0)
    floor = max(float(spans.max(initial=0.0)) * 0.02, 1e-6)
    return _unit(points / np.maximum(spans, floor) ** power)


def _unit(points: Vectors) -> Vectors:
    """About their mean, scaled to mean square length 1; all alike they are zeros."""
    centred = points - points.mean(0) if len(points) else points
    length = float(np.sqrt((centred**2).sum(1).mean())) if centred.size else 0.0
    return (centred / length if length > 1e-6 else np.zeros_like(centred)).astype(np.float32)


def _alike(ones: Vectors, others: Vectors, kernel: Kernel) -> NDArray[np.float64]:
    """The kernel: covariance of two candidates' likings, ``(n, m)``."""
    inner = ones @ others.T
    squares = np.einsum("nd,nd->n", ones, ones)[:, None] + np.einsum("md,md->m", others, others)
    near = np.exp((inner * 2 - squares) / (2 * kernel.local**2))
    together: NDArray[np.float64] = (kernel.linear * inner + (1 - kernel.linear) * near).astype(np.float64)
    return together


def _base(marks: NDArray[np.float64]) -> float:
    """What is thought of a candidate of which nothing is known."""
    return float((marks.sum() - 2) / (len(marks) + 2))


def _recent(kept: int, rejected: int) -> NDArray[np.intp]:
    """Places of the kept, then rejected, by which the kernel is chosen."""
    fewer = min(kept, RECENT // 2)
    first = kept + max(0, rejected - (RECENT - fewer))
    return np.array([*range(kept - fewer, kept), *range(first, kept + rejected)], np.intp)
