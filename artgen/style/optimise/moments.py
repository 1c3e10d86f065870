"""Statistics of features: mean and raw second moment, sums over places that tiles can add up.

Sums are added in float64 and everything that follows from them is computed so; the products themselves are
taken in float32, whatever the precision of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# Places taken at once, so that the float32 copy of a large bfloat16 layer is never held whole.
PLACES = 1 << 16


@dataclass(frozen=True)
class Moments:
    """Weighted sums over places.

    Attributes:
        weight: of the weights, ``()`` float64.
        first: of the features, ``(C,)`` float64.
        second: of the products of features, ``(C, C)`` float64.
    """

    weight: Tensor
    first: Tensor
    second: Tensor

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.weight + other.weight, self.first + other.first, self.second + other.second)

    @property
    def statistics(self) -> Statistics:
        """What remains when the number of places no longer counts."""
        # A mask may leave a tile, or a coarse layer, next to nothing.
        weight = self.weight.clamp_min(1e-12)
        return Statistics(self.first / weight, self.second / weight)


@dataclass(frozen=True)
class Statistics:
    """Of one layer: ``mean`` ``(C,)`` and ``raw`` second moment ``(C, C)``, float64."""

    mean: Tensor
    raw: Tensor

    @property
    def covariance(self) -> Tensor:
        """``(C, C)``."""
        return self.raw - torch.outer(self.mean, self.mean)


def mix(several: Sequence[Statistics], shares: Sequence[float]) -> Statistics:
    """Of several pictures taken together. Means and raw second moments add up; covariances would not."""
    mean = sum((s.mean * share for s, share in zip(several, shares, strict=True)), torch.zeros(()))
    raw = sum((s.raw * share for s, share in zip(several, shares, strict=True)), torch.zeros(()))
    return Statistics(mean, raw)


def moments(features: Tensor, weights: Tensor | None = None) -> Moments:
    """Sums over all places of a layer.

    Args:
        features: ``(C, h, w)``; gradients flow back to them.
        weights: ``(h, w)`` of the places; all 1 when None.
    """
    flat = features.permute(1, 2, 0).reshape(-1, features.shape[0])
    flat_weights = None if weights is None else weights.reshape(-1, 1).to(flat.device)
    first, second = _Sums.apply(flat, flat_weights)  # type: ignore[no-untyped-call]
    total = torch.tensor(float(len(flat))) if flat_weights is None else flat_weights.double().sum()
    return Moments(total.to(first), first, second)


def _wide(features: Tensor) -> Tensor:
    return features if features.dtype == torch.float64 else features.float()


def _precise(sums: Tensor) -> Tensor:
    # Apple's GPUs know no float64; these are small.
    return (sums.cpu() if sums.device.type == "mps" else sums).double()


class _Sums(torch.autograd.Function):
    """Both sums at once. Their gradient needs one product where autograd would take two.

    Products are taken about a middle and moved to zero in float64: covariances are small differences of raw
    moments, of which float32 would leave little.
    """

    @staticmethod
    def forward(ctx: Any, flat: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
        channels = flat.shape[1]
        # Any middle will do; that of some places is near that of all.
        middle = _wide(flat[:: max(1, len(flat) // 1024)]).mean(0) if len(flat) else flat.new_zeros(channels)
        ctx.save_for_backward(flat, weights, middle)
        apart = _precise(flat.new_zeros(channels))
        second = _precise(flat.new_zeros(channels, channels))
        total = 0.0
        for start in range(0, len(flat), PLACES):
            part = _wide(flat[start : start + PLACES]) - middle
            weighted = part
            if weights is not None:
                share = weights[start : start + PLACES].to(part)
                weighted = part * share
                total += float(share.sum(dtype=torch.float64 if share.device.type != "mps" else None))
            apart += _precise(weighted.sum(0))
            second += _precise(weighted.T @ part)
        total = float(len(flat)) if weights is None else total
        origin = _precise(middle)
        cross = torch.outer(origin, apart)
        second += cross + cross.T + total * torch.outer(origin, origin)
        return apart + total * origin, second

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        flat, weights, middle = ctx.saved_tensors
        by_first, by_second = gradients
        both = by_second + by_second.T
        shift = (by_first + both @ _precise(middle)).to(middle)
        factor = both.to(middle)
        out = torch.empty_like(flat)
        for start in range(0, len(flat), PLACES):
            part = torch.addmm(shift, _wide(flat[start : start + PLACES]) - middle, factor)
            if weights is not None:
                part *= weights[start : start + PLACES].to(part)
            out[start : start + PLACES] = part
        return out, None
