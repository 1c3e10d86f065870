"""Whether invented pictures differ from each other, and from the pictures they were learned from.

Both take ``(B, 3, H, W)`` float32 in [0, 1] and return a ratio: 1 is as real pictures are.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SMALL = 16  # px: where nearness means the same composition, not the same grain


def diversity(made: Tensor, real: Tensor) -> float:
    """Mean absolute difference between two made pictures over that between two real ones.

    Near 0 when every latent gives the same picture: mode collapse.
    """
    return _spread(made) / max(_spread(real), 1e-12)


def novelty(made: Tensor, real: Tensor) -> float:
    """How far a made picture is from the nearest real one, over how far real ones are from their nearest.

    Seen at 16 px, mirror images included. Far below 1 the made pictures are copies.
    """
    own = _nearest(real, real, itself=True)
    return _nearest(made, real, itself=False) / max(own, 1e-12)


def _spread(images: Tensor) -> float:
    flat = images.flatten(1)
    return float(F.pdist(flat, p=1).sum()) / max(len(flat) * (len(flat) - 1) / 2, 1) / flat.shape[1]


def _nearest(images: Tensor, real: Tensor, *, itself: bool) -> float:
    """Mean distance of ``images`` to the nearest of ``real``; ``itself``: the two are the same set."""
    others = _thumbnails(real)
    near = []
    for pictures in (images, images.flip(3)):
        distances = torch.cdist(_thumbnails(pictures), others)
        if itself:
            distances.fill_diagonal_(torch.inf)
        near.append(distances.amin(1))
    return float(torch.minimum(*near).mean())


def _thumbnails(images: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(images, SMALL).flatten(1)
