"""A proposal for the final set: the best liked of the kept candidates, and no two similar ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from artgen.curation.ranking.orders import VectorArray, pick_spread_rows, project_to_principal_axes

PROPOSAL_AXES = 24
"""Principal axes in which ``propose_final_set`` measures distances."""
MAX_LIKING_WEIGHT = 2.0
"""Factor on the distances of the best liked candidate; the least liked one has 1."""


def propose_final_set(
    vectors: VectorArray, kept_rows: Sequence[int], liking: Sequence[float], count: int
) -> list[int]:
    """Propose some of the kept candidates, well liked and spread over all of them.

    The best liked is first; then follows each time the one that is, weighted by its liking, farthest from
    those before.

    Weighted farthest-first (Gonzalez 1985; Dyer and Frieze 1985 for weights): a candidate that is similar to
    none of the proposed comes before a better liked one that is similar to one of them.

    Args:
        vectors: float32 ``(n, D)``, embeddings of all candidates.
        kept_rows: rows of the kept candidates.
        liking: of each kept one, on any scale: a taste's scores, or stars.
        count: how many to propose; all of them if there are fewer.

    Returns:
        Rows of kept candidates, the best liked first.
    """
    rows = np.asarray(kept_rows, np.intp)
    if len(rows) == 0 or count <= 0:
        return []
    likings = np.asarray(liking, np.float32)
    span = float(np.ptp(likings))
    relative = (likings - likings.min()) / span if span > 1e-9 else np.ones_like(likings)
    weights = 1 + (MAX_LIKING_WEIGHT - 1) * relative
    points = project_to_principal_axes(vectors[rows], PROPOSAL_AXES)
    first = int(weights.argmax())
    positions = [first, *pick_spread_rows(points, [first], count - 1, weights.astype(np.float32))]
    return [int(rows[position]) for position in positions]
