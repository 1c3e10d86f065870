"""Measures of how generated images differ from each other and from the training images.

Both take ``(B, 3, H, W)`` float32 in [0, 1] and return a ratio, which is 1 for real images.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

THUMBNAIL_SIDE_PX = (
    16  # px: at this size, images are close if their composition is the same, not their texture
)


def diversity(generated: Tensor, real: Tensor) -> float:
    """Return how much generated images differ: mean absolute difference relative to that of real ones.

    It is near 0 if every latent gives the same image (mode collapse).
    """
    return _mean_pairwise_difference(generated) / max(_mean_pairwise_difference(real), 1e-12)


def novelty(generated: Tensor, real: Tensor) -> float:
    """Return how new generated images are: their distance to real ones, relative to that among these.

    Images and their mirror images are compared at 16 px. Far below 1 the generated images are copies.
    """
    real_distance = _mean_nearest_distance(real, real, same_set=True)
    return _mean_nearest_distance(generated, real, same_set=False) / max(real_distance, 1e-12)


def _mean_pairwise_difference(images: Tensor) -> float:
    flat = images.flatten(1)
    return float(F.pdist(flat, p=1).sum()) / max(len(flat) * (len(flat) - 1) / 2, 1) / flat.shape[1]


def _mean_nearest_distance(images: Tensor, real: Tensor, *, same_set: bool) -> float:
    """Return the mean distance of ``images`` to the nearest image of ``real``.

    ``same_set`` means that both are the same images: then no image is compared with itself.
    """
    real_thumbnails = _flat_thumbnails(real)
    nearest_distances = []
    for orientation in (images, images.flip(3)):
        distances = torch.cdist(_flat_thumbnails(orientation), real_thumbnails)
        if same_set:
            distances.fill_diagonal_(torch.inf)
        nearest_distances.append(distances.amin(1))
    return float(torch.minimum(*nearest_distances).mean())


def _flat_thumbnails(images: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(images, THUMBNAIL_SIDE_PX).flatten(1)
