"""A final set out of what was kept: the best liked of it, and no two of a kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from artgen.curation.ranking.orders import Vectors, principal, spread

AXES = 24
FAVOUR = 2.0
"""How many times as far as the least liked of the kept the best liked one seems from the others."""


def proposed(vectors: Vectors, kept: Sequence[int], liking: Sequence[float], count: int) -> list[int]:
    """So many of the kept, spread over all of them.

    First the best liked, then each time the one that is, by its liking, farthest from those before.

    Weighted farthest-first (Gonzalez 1985; Dyer and Frieze 1985 for weights): what has no like among the
    proposed comes in before a better liked twin of one that is there.

    Args:
        vectors: float32 ``(n, D)``, embeddings of all candidates.
        kept: rows.
        liking: of each kept one, on any scale: a taste's scores, or stars.
        count: how many are wanted; all of them where there are no more.

    Returns:
        Rows of the kept, the best liked first.
    """
    rows = np.asarray(kept, np.intp)
    if len(rows) == 0 or count <= 0:
        return []
    liked = np.asarray(liking, np.float32)
    span = float(np.ptp(liked))
    weight = 1 + (FAVOUR - 1) * ((liked - liked.min()) / span if span > 1e-9 else np.ones_like(liked))
    points = principal(vectors[rows], AXES)
    first = int(weight.argmax())
    places = [first, *spread(points, [first], count - 1, weight.astype(np.float32))]
    return [int(rows[place]) for place in places]
