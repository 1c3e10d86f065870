"""How far the patches of two pictures are apart, wherever they lie: a loss that does not blur.

The sliced Wasserstein distance between all patches (Elnekave and Weiss 2022, arXiv:2203.12350, *direct patch
distribution matching*), at several sizes of the picture: patches are projected on random filters, the values
of each filter are sorted, and sorted values compared. A pixel loss asks for the mean of all the strokes that
might be there; this one asks for strokes, and leaves open where.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

PATCH = 7
FILTERS = 48
LEVELS = 3


def random_filters(generator: torch.Generator) -> Tensor:
    """Filters ``(LEVELS, FILTERS, 3, PATCH, PATCH)`` of length 1; only the coarsest see mean colour."""
    filters = torch.randn(LEVELS, FILTERS, 3, PATCH, PATCH, generator=generator)
    filters[:-1] -= filters[:-1].mean((2, 3, 4), keepdim=True)
    return filters / filters.square().sum((2, 3, 4), keepdim=True).sqrt()


def patch_distance(made: Tensor, wanted: Tensor, filters: Tensor) -> Tensor:
    """Mean distance of sorted projections, a scalar.

    Args:
        made: ``(B, 3, H, W)``, at least 28 px each way.
        wanted: likewise; each picture is compared with its own counterpart.
        filters: of ``random_filters``.
    """
    total = made.new_zeros(())
    with torch.autocast(made.device.type, enabled=False):
        pictures = torch.cat([made, wanted]).float()
        for level, bank in enumerate(filters):
            # At full size every other patch is enough, and sorting is what costs.
            projected = F.conv2d(pictures, bank, stride=2 if level == 0 else 1).flatten(2).sort(2).values
            total = total + (projected[: len(made)] - projected[len(made) :]).abs().mean()
            pictures = F.avg_pool2d(pictures, 2)
    return total / len(filters)
