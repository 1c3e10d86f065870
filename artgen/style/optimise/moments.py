"""Statistics of features: mean and raw second moment, as sums over positions that can be added over tiles.

Sums, and everything computed from them, are in float64; the products themselves are in float32, whatever the
precision of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# Limits the float32 copy of a large bfloat16 layer to a part of it.
FEATURE_POSITIONS_PER_CHUNK = 1 << 16


@dataclass(frozen=True)
class FeatureMoments:
    """Weighted sums of a VGG layer's features over positions.

    Attributes:
        total_weight: sum of the weights, ``()`` float64.
        feature_sum: sum of the features, ``(C,)`` float64.
        product_sum: sum of the products of features, ``(C, C)`` float64.
    """

    total_weight: Tensor
    feature_sum: Tensor
    product_sum: Tensor

    def __add__(self, other: FeatureMoments) -> FeatureMoments:
        return FeatureMoments(
            self.total_weight + other.total_weight,
            self.feature_sum + other.feature_sum,
            self.product_sum + other.product_sum,
        )

    @property
    def statistics(self) -> FeatureStatistics:
        """Mean and second moment of the features: the sums divided by the total weight."""
        # Under a mask the weight of a tile, or of a coarse layer, may be almost 0.
        weight = self.total_weight.clamp_min(1e-12)
        return FeatureStatistics(self.feature_sum / weight, self.product_sum / weight)


@dataclass(frozen=True)
class FeatureStatistics:
    """Mean and second moment of the features of one VGG layer, which describe a style.

    Attributes:
        mean: ``(C,)`` float64.
        second_moment: ``(C, C)`` float64, raw: the mean of products (Gram matrix).
    """

    mean: Tensor
    second_moment: Tensor

    @property
    def covariance(self) -> Tensor:
        """Covariance ``(C, C)`` of a layer's features."""
        return self.second_moment - torch.outer(self.mean, self.mean)


def mix_statistics(all_statistics: Sequence[FeatureStatistics], shares: Sequence[float]) -> FeatureStatistics:
    """Return the feature statistics of several style images together, weighted by ``shares``.

    Means and raw second moments add up; covariances would not.
    """
    weighted = [
        (s.mean * share, s.second_moment * share) for s, share in zip(all_statistics, shares, strict=True)
    ]
    return FeatureStatistics(*(sum(parts, torch.zeros(())) for parts in zip(*weighted, strict=True)))


def compute_moments(features: Tensor, weights: Tensor | None = None) -> FeatureMoments:
    """Sum up a layer's features and their products over all positions.

    Args:
        features: ``(C, h, w)``; gradients flow back to them.
        weights: ``(h, w)``, of the positions; all 1 when None.
    """
    flat = features.permute(1, 2, 0).reshape(-1, features.shape[0])
    flat_weights = None if weights is None else weights.reshape(-1, 1).to(flat.device)
    feature_sum, product_sum = _WeightedMoments.apply(flat, flat_weights)  # type: ignore[no-untyped-call]
    total_weight = torch.tensor(float(len(flat))) if flat_weights is None else flat_weights.double().sum()
    return FeatureMoments(total_weight.to(feature_sum), feature_sum, product_sum)


def _at_least_float32(features: Tensor) -> Tensor:
    return features if features.dtype == torch.float64 else features.float()


def _to_float64(sums: Tensor) -> Tensor:
    # Apple's GPUs have no float64; these tensors are small enough for the CPU.
    return (sums.cpu() if sums.device.type == "mps" else sums).double()


class _WeightedMoments(torch.autograd.Function):
    """Both sums in one function, whose gradient needs one matrix product instead of autograd's two.

    Products are computed around a centre and moved to zero in float64: covariances are small differences of
    raw moments, which float32 would not resolve.
    """

    @staticmethod
    def forward(ctx: Any, flat: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
        channels = flat.shape[1]
        # Any centre is correct; the mean of a sample is close to that of all positions.
        centre = (
            _at_least_float32(flat[:: max(1, len(flat) // 1024)]).mean(0)
            if len(flat)
            else flat.new_zeros(channels)
        )
        ctx.save_for_backward(flat, weights, centre)
        centred_sum = _to_float64(flat.new_zeros(channels))
        product_sum = _to_float64(flat.new_zeros(channels, channels))
        total_weight = 0.0
        for start in range(0, len(flat), FEATURE_POSITIONS_PER_CHUNK):
            chunk = _at_least_float32(flat[start : start + FEATURE_POSITIONS_PER_CHUNK]) - centre
            weighted = chunk
            if weights is not None:
                chunk_weights = weights[start : start + FEATURE_POSITIONS_PER_CHUNK].to(chunk)
                weighted = chunk * chunk_weights
                total_weight += float(
                    chunk_weights.sum(dtype=torch.float64 if chunk_weights.device.type != "mps" else None)
                )
            centred_sum += _to_float64(weighted.sum(0))
            product_sum += _to_float64(weighted.T @ chunk)
        total_weight = float(len(flat)) if weights is None else total_weight
        centre64 = _to_float64(centre)
        cross = torch.outer(centre64, centred_sum)
        product_sum += cross + cross.T + total_weight * torch.outer(centre64, centre64)
        return centred_sum + total_weight * centre64, product_sum

    @staticmethod
    def backward(ctx: Any, *output_gradients: Tensor) -> tuple[Tensor, None]:
        flat, weights, centre = ctx.saved_tensors
        sum_gradient, product_gradient = output_gradients
        symmetric_gradient = product_gradient + product_gradient.T
        shift = (sum_gradient + symmetric_gradient @ _to_float64(centre)).to(centre)
        factor = symmetric_gradient.to(centre)
        feature_gradient = torch.empty_like(flat)
        for start in range(0, len(flat), FEATURE_POSITIONS_PER_CHUNK):
            chunk_gradient = torch.addmm(
                shift, _at_least_float32(flat[start : start + FEATURE_POSITIONS_PER_CHUNK]) - centre, factor
            )
            if weights is not None:
                chunk_gradient *= weights[start : start + FEATURE_POSITIONS_PER_CHUNK].to(chunk_gradient)
            feature_gradient[start : start + FEATURE_POSITIONS_PER_CHUNK] = chunk_gradient
        return feature_gradient, None
