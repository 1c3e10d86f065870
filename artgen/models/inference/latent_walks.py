"""Closed walks through a space of latents: films that end where they begin."""

from __future__ import annotations

import torch
from torch import Tensor

FINE = 128  # points between two keys, by which distance along the walk is measured


def walk(keys: Tensor, at: float) -> Tensor:
    """A point of the smoothest closed curve through ``keys``, walked at constant speed.

    Straight lines between latents pass through the middle of the space, where a generator was never trained
    and its pictures are grey. Trigonometric interpolation does not: through normal latents it is a stationary
    process, each of its points as likely as any latent. Where its norm still strays it is put right: it goes
    smoothly from one key's norm to the next one's.

    Args:
        keys: ``(K, latent)``, two or more, none of them zero; passed in this order. With two, there and back.
        at: 0 to 1; 0 and 1 are the first key.

    Returns:
        ``(latent,)``.
    """
    norms = keys.norm(dim=1, keepdim=True)
    directions = _interpolated(keys / norms)
    curve = directions / directions.norm(dim=1, keepdim=True).clamp_min(1e-8) * _eased(norms)
    way = torch.cat([curve.new_zeros(1), (curve[1:] - curve[:-1]).norm(dim=1).cumsum(0)])
    wanted = at % 1.0 * way[-1]
    after = int(torch.searchsorted(way, wanted, right=True).clamp(1, len(way) - 1))
    share = (wanted - way[after - 1]) / (way[after] - way[after - 1]).clamp_min(1e-12)
    return torch.lerp(curve[after - 1], curve[after], share)


def _interpolated(values: Tensor) -> Tensor:
    """``(K * FINE + 1, D)``: the periodic function of the lowest frequencies through ``(K, D)``, finely."""
    count = len(values)
    spectrum = torch.fft.rfft(values, dim=0)
    if count % 2 == 0:
        spectrum[-1] /= 2  # the highest frequency comes twice in a longer spectrum
    fine = torch.fft.irfft(spectrum, n=count * FINE, dim=0) * FINE
    return torch.cat([fine, fine[:1]])


def _eased(values: Tensor) -> Tensor:
    """``(K * FINE + 1, 1)``: from each of ``(K, 1)`` to the next, round to the first, never beyond."""
    share = (1 - torch.cos(torch.linspace(0, torch.pi, FINE + 1, dtype=values.dtype)[:-1])) / 2
    eased = torch.lerp(values, values.roll(-1, 0), share)  # (K, FINE)
    return torch.cat([eased.flatten(), values[0]])[:, None]
