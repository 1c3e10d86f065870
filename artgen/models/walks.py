"""Closed walks through a space of latents: films that end where they begin."""

from __future__ import annotations

import torch
from torch import Tensor

FINE = 256  # points between two keys, by which distance along the walk is measured


def walk(keys: Tensor, at: float) -> Tensor:
    """A point of the smooth closed curve through ``keys``, walked at constant speed.

    A closed Catmull-Rom spline gives the directions, another one the norms: straight lines between latents
    would pass through the middle of the space, where a generator was never trained and its pictures are grey.

    Args:
        keys: ``(K, latent)``, two or more, none of them zero; passed in this order.
        at: 0 to 1; 0 and 1 are the first key.

    Returns:
        ``(latent,)``.
    """
    directions = _spline(keys / keys.norm(dim=1, keepdim=True))
    directions = directions / directions.norm(dim=1, keepdim=True).clamp_min(1e-8)
    curve = directions * _spline(keys.norm(dim=1, keepdim=True))
    way = torch.cat([curve.new_zeros(1), (curve[1:] - curve[:-1]).norm(dim=1).cumsum(0)])
    wanted = at % 1.0 * way[-1]
    after = int(torch.searchsorted(way, wanted, right=True).clamp(1, len(way) - 1))
    share = (wanted - way[after - 1]) / (way[after] - way[after - 1]).clamp_min(1e-12)
    return torch.lerp(curve[after - 1], curve[after], share)


def _spline(keys: Tensor) -> Tensor:
    """``(K * FINE + 1, D)`` points of the closed Catmull-Rom spline through ``(K, D)``."""
    t = torch.linspace(0, 1, FINE + 1, dtype=keys.dtype)[:-1, None, None]
    before, here, after, beyond = (keys.roll(shift, 0) for shift in (1, 0, -1, -2))
    points = here + t / 2 * (
        after
        - before
        + t * (2 * before - 5 * here + 4 * after - beyond + t * (3 * (here - after) + beyond - before))
    )
    return torch.cat([points.transpose(0, 1).flatten(0, 1), keys[:1]])
