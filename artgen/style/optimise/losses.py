"""Losses of style, content and total variation.

Style losses compare statistics, not features, so that an image can be processed in tiles. Each is constructed
with the target statistics and called with those of the image. Its ``zero_loss`` is the loss of an image whose
features are all 0; a relative loss is divided by it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.style.optimise.moments import FeatureStatistics
from artgen.style.optimise.presets import LossName

COVARIANCE_EPSILON = 1e-4  # added to the diagonal of covariances, as crowsonkb/style-transfer-pytorch does


class StyleLoss(Protocol):
    """Base class of style losses: distance of an image's feature statistics from the style's, in float64."""

    zero_loss: float

    def __init__(self, target: FeatureStatistics) -> None: ...

    def __call__(self, statistics: FeatureStatistics) -> Tensor: ...


class GramLoss:
    """Gram loss of Gatys et al. 2016, Image Style Transfer Using CNNs: ``sum((G - A)^2) / (4 N^2 M^2)``.

    N is the number of channels and M that of positions. Deviation: G and A are means over positions, so
    that M cancels out and the style may have another size than the content.
    """

    def __init__(self, target: FeatureStatistics) -> None:
        self.target_gram = target.second_moment
        self.factor = self.scaling_factor(len(target.mean))
        self.zero_loss = self.factor * float(self.target_gram.square().sum())

    @staticmethod
    def scaling_factor(channels: int) -> float:
        """Return the factor on the Gram matrices' squared differences, for a number of channels."""
        return 1 / (4 * channels**2)

    def __call__(self, statistics: FeatureStatistics) -> Tensor:
        return self.factor * (statistics.second_moment - self.target_gram).square().sum()


class MeanGramLoss(GramLoss):
    """Gram loss of jcjohnson/neural-style: mean squared difference of matrices divided by the channels."""

    @staticmethod
    def scaling_factor(channels: int) -> float:
        """Return the factor on the Gram matrices' squared differences, for a number of channels."""
        return 1 / channels**4


class WassersteinLoss:
    """Style loss: squared Wasserstein-2 distance between Gaussians, divided by the channels.

    As in crowsonkb/style-transfer-pytorch (Vacher et al. 2020, arXiv:2005.13012, for textures):
    ``|m - n|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2)``. Deviation: the trace and its gradient are computed from
    eigenvalues in float64, which is exact, unlike Newton-Schulz iterations, and takes a tenth of their time.
    """

    def __init__(self, target: FeatureStatistics) -> None:
        self.target_mean = target.mean
        self.target_covariance = _regularised_covariance(target)
        values, vectors = torch.linalg.eigh(self.target_covariance)
        self.target_root = (
            vectors * self.root_eigenvalues(values.clamp_min(COVARIANCE_EPSILON * COVARIANCE_EPSILON))
        ) @ vectors.T
        self.zero_loss = float(self.target_mean.square().mean() + self.target_covariance.diagonal().mean())

    @staticmethod
    def root_eigenvalues(eigenvalues: Tensor) -> Tensor:
        """Return the square roots of a covariance's eigenvalues ``(C,)``."""
        return eigenvalues.sqrt()

    def __call__(self, statistics: FeatureStatistics) -> Tensor:
        covariance = _regularised_covariance(statistics)
        root_trace: Tensor = _RootTrace.apply(covariance, self.target_root, self.root_eigenvalues)  # type: ignore[no-untyped-call]
        trace = self.target_covariance.trace() + covariance.trace() - 2 * root_trace
        return (statistics.mean - self.target_mean).square().mean() + trace / len(self.target_mean)


class SchulzWassersteinLoss(WassersteinLoss):
    """Wasserstein style loss with the approximate roots of crowsonkb/style-transfer-pytorch.

    There, twelve Newton-Schulz steps approximate the matrix root. They are accurate for eigenvalues above
    about 1e-4 of the matrix's norm and give almost 0 for smaller ones, so that directions in which features
    hardly vary lose their variance. Here the steps are applied to eigenvalues instead of matrices, which
    gives the same function and its exact gradient.
    """

    @staticmethod
    def root_eigenvalues(eigenvalues: Tensor) -> Tensor:
        """Approximate a covariance's root eigenvalues ``(C,)`` by Newton-Schulz steps."""
        norm = eigenvalues.norm()
        root, inverse = eigenvalues / norm, torch.ones_like(eigenvalues)
        for _ in range(12):
            step = (3 - inverse * root) / 2
            root, inverse = root * step, step * inverse
        scaled: Tensor = root * norm.sqrt()
        return scaled


def _regularised_covariance(statistics: FeatureStatistics) -> Tensor:
    covariance = statistics.covariance
    return covariance + COVARIANCE_EPSILON * torch.eye(
        len(covariance), dtype=covariance.dtype, device=covariance.device
    )


class _RootTrace(torch.autograd.Function):
    """Trace of ``(R B R)^1/2``, whose gradient with respect to B is ``R (R B R)^-1/2 R / 2``.

    The root may be replaced by another function of the eigenvalues.
    """

    @staticmethod
    def forward(
        ctx: Any, covariance: Tensor, target_root: Tensor, root_eigenvalues: Callable[[Tensor], Tensor]
    ) -> Tensor:
        product = target_root @ covariance @ target_root
        if not bool(product.isfinite().all()):
            # eigh would raise an error of its own; with NaN the caller handles it like any other bad loss.
            ctx.save_for_backward(torch.full_like(product, torch.nan))
            return product.new_full((), torch.nan)
        eigenvalues, eigenvectors = torch.linalg.eigh((product + product.T) / 2)
        # Apart from rounding, both covariances are at least COVARIANCE_EPSILON in every direction.
        with torch.enable_grad():
            eigenvalues = eigenvalues.clamp_min(COVARIANCE_EPSILON * COVARIANCE_EPSILON).requires_grad_()
            total: Tensor = root_eigenvalues(eigenvalues).sum()
        (slopes,) = torch.autograd.grad(total, eigenvalues)
        rotated = target_root @ eigenvectors
        ctx.save_for_backward((rotated * slopes) @ rotated.T)
        return total.detach()

    @staticmethod
    def backward(ctx: Any, *output_gradients: Tensor) -> tuple[Tensor, None, None]:
        (trace_gradient,) = ctx.saved_tensors
        covariance_gradient: Tensor = output_gradients[0] * trace_gradient
        return covariance_gradient, None, None


STYLE_LOSSES: dict[LossName, type[StyleLoss]] = {
    "gram": GramLoss,
    "gram-mean": MeanGramLoss,
    "wasserstein": WassersteinLoss,
    "wasserstein-schulz": SchulzWassersteinLoss,
}


def weighted_squared_error(features: Tensor, target: Tensor, weights: Tensor | None) -> Tensor:
    """Return the content loss: squared differences of features ``(C, h, w)``, weighted by ``(h, w)``."""
    error = (features.float() - target.float()).square().sum(0)
    total = (error if weights is None else error * weights.to(error)).sum()
    return total if total.device.type == "mps" else total.double()  # Apple's GPUs have no float64


def nine_point_variation(image: Tensor) -> Tensor:
    """Return the squared total variation over all eight neighbours, as in crowsonkb/style-transfer-pytorch.

    The differences are averaged over positions; border pixels are repeated.
    """
    padded = F.pad(image[None], (1, 1, 1, 1), mode="replicate")[0]
    centre = padded[:, 1:-1, 1:-1]
    right, below = padded[:, 1:-1, 2:] - centre, padded[:, 2:, 1:-1] - centre
    falling = (padded[:, 1:, 1:] - padded[:, :-1, :-1]).square().mean()
    rising = (padded[:, 1:, :-1] - padded[:, :-1, 1:]).square().mean()
    return 2 / 3 * (right.square().mean() + below.square().mean()) + 2 / 12 * (falling + rising)


def neighbour_variation(image: Tensor) -> Tensor:
    """Return jcjohnson/neural-style's total variation: half the *sum* of squares, for colours up to 256."""
    centre = image[:, :-1, :-1]
    right, below = image[:, :-1, 1:] - centre, image[:, 1:, :-1] - centre
    return (right.square().sum() + below.square().sum()) * (256**2 / 2)


TOTAL_VARIATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "nine-point": nine_point_variation,
    "neighbours": neighbour_variation,
}
