"""How far a picture is from its styles and its content.

Losses of style compare statistics, not features: so a picture can be looked at in tiles. Each is made of what
is wanted, called with what is seen, and knows its ``size``: what it says of a picture without any features,
by which a loss becomes relative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.style.optimise.moments import Statistics
from artgen.style.optimise.presets import Loss

EPSILON = 1e-4  # added to the diagonal of covariances, as crowsonkb/style-transfer-pytorch does


class StyleLoss(Protocol):
    """Distance of statistics from the wanted ones, a scalar in float64."""

    size: float

    def __init__(self, wanted: Statistics) -> None: ...

    def __call__(self, seen: Statistics) -> Tensor: ...


class Gram:
    """Gatys et al. 2016 (Image Style Transfer Using CNNs): ``1 / (4 N^2 M^2)`` times the squares of G - A.

    N is the number of features and M that of places. Deviation: G and A are means over places, by which M
    falls out, so that the style may have another size than the content.
    """

    def __init__(self, wanted: Statistics) -> None:
        self.wanted = wanted.raw
        self.factor = self.of(len(wanted.mean))
        self.size = self.factor * float(self.wanted.square().sum())

    @staticmethod
    def of(features: int) -> float:
        """The factor for so many features."""
        return 1 / (4 * features**2)

    def __call__(self, seen: Statistics) -> Tensor:
        return self.factor * (seen.raw - self.wanted).square().sum()


class MeanGram(Gram):
    """jcjohnson/neural-style: mean squared difference; matrices are also over the number of features."""

    @staticmethod
    def of(features: int) -> float:
        """The factor for so many features."""
        return 1 / features**4


class Wasserstein:
    """Squared Wasserstein-2 distance of Gaussians, over the number of features.

    As in crowsonkb/style-transfer-pytorch (Vacher et al. 2020, arXiv:2005.13012, for textures):
    ``|m - n|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2)``. Deviation: the trace and its gradient come of the
    eigenvalues in float64, exact where an iteration of Newton and Schulz is not, for a tenth of its time.
    """

    def __init__(self, wanted: Statistics) -> None:
        self.mean = wanted.mean
        self.covariance = _lifted(wanted)
        values, vectors = torch.linalg.eigh(self.covariance)
        self.root = (vectors * self.roots(values.clamp_min(EPSILON * EPSILON))) @ vectors.T
        self.size = float(self.mean.square().mean() + self.covariance.diagonal().mean())

    @staticmethod
    def roots(values: Tensor) -> Tensor:
        """Of eigenvalues ``(C,)``."""
        return values.sqrt()

    def __call__(self, seen: Statistics) -> Tensor:
        covariance = _lifted(seen)
        shared: Tensor = _SharedRoot.apply(covariance, self.root, self.roots)  # type: ignore[no-untyped-call]
        trace = self.covariance.trace() + covariance.trace() - 2 * shared
        return (seen.mean - self.mean).square().mean() + trace / len(self.mean)


class SchulzWasserstein(Wasserstein):
    """What crowsonkb/style-transfer-pytorch minimises: its roots are twelve steps of Newton and Schulz.

    So many find the root of what is at least about 1e-4 of the matrix's norm, and next to nothing of less:
    directions in which features hardly vary are made to vary still less. Here the steps are done with
    eigenvalues in place of matrices, which gives the same function, and its own gradient.
    """

    @staticmethod
    def roots(values: Tensor) -> Tensor:
        """Of eigenvalues ``(C,)``, as far as twelve steps come."""
        norm = values.norm()
        root, inverse = values / norm, torch.ones_like(values)
        for _ in range(12):
            step = (3 - inverse * root) / 2
            root, inverse = root * step, step * inverse
        scaled: Tensor = root * norm.sqrt()
        return scaled


def _lifted(statistics: Statistics) -> Tensor:
    covariance = statistics.covariance
    return covariance + EPSILON * torch.eye(len(covariance), dtype=covariance.dtype, device=covariance.device)


class _SharedRoot(torch.autograd.Function):
    """The trace of ``(R B R)^1/2``; its gradient with respect to B is ``R (R B R)^-1/2 R / 2``.

    Or of another function of the eigenvalues in place of the root.
    """

    @staticmethod
    def forward(ctx: Any, covariance: Tensor, root: Tensor, roots: Callable[[Tensor], Tensor]) -> Tensor:
        product = root @ covariance @ root
        if not bool(product.isfinite().all()):
            # Eigenvalues of these would be an error of their own; who asked will see that it is no number.
            ctx.save_for_backward(torch.full_like(product, torch.nan))
            return product.new_full((), torch.nan)
        values, vectors = torch.linalg.eigh((product + product.T) / 2)
        # Both covariances are at least EPSILON in every direction, but for rounding.
        with torch.enable_grad():
            values = values.clamp_min(EPSILON * EPSILON).requires_grad_()
            total: Tensor = roots(values).sum()
        (slopes,) = torch.autograd.grad(total, values)
        turned = root @ vectors
        ctx.save_for_backward((turned * slopes) @ turned.T)
        return total.detach()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        by_covariance: Tensor = gradients[0] * slope
        return by_covariance, None, None


LOSSES: dict[Loss, type[StyleLoss]] = {
    "gram": Gram,
    "gram-mean": MeanGram,
    "wasserstein": Wasserstein,
    "wasserstein-schulz": SchulzWasserstein,
}


def squares(seen: Tensor, wanted: Tensor, weights: Tensor | None) -> Tensor:
    """Sum of squared differences of features ``(C, h, w)``, places weighted by ``(h, w)``: float64."""
    apart = (seen.float() - wanted.float()).square().sum(0)
    return (apart if weights is None else apart * weights.to(apart)).sum().to(_exact(apart))


def _exact(tensor: Tensor) -> torch.dtype:
    return torch.float32 if tensor.device.type == "mps" else torch.float64


class NinePoint:
    """Squared total variation over all eight neighbours, as crowsonkb/style-transfer-pytorch takes it.

    Means over places; the border is continued.
    """

    weights: ClassVar[tuple[float, float]] = (2 / 3, 2 / 12)  # of straight and of slanting neighbours

    def __call__(self, picture: Tensor) -> Tensor:
        padded = F.pad(picture[None], (1, 1, 1, 1), mode="replicate")[0]
        here = padded[:, 1:-1, 1:-1]
        straight, slanting = self.weights
        beside = (padded[:, 1:-1, 2:] - here).square().mean() + (padded[:, 2:, 1:-1] - here).square().mean()
        falling = (padded[:, 1:, 1:] - padded[:, :-1, :-1]).square().mean()
        rising = (padded[:, 1:, :-1] - padded[:, :-1, 1:]).square().mean()
        return straight * beside + slanting * (falling + rising)


class Neighbours:
    """Total variation of jcjohnson/neural-style: half the *sum* of squares of colours from 0 to 256."""

    def __call__(self, picture: Tensor) -> Tensor:
        here = picture[:, :-1, :-1]
        apart: Tensor = (picture[:, :-1, 1:] - here).square().sum()
        apart = apart + (picture[:, 1:, :-1] - here).square().sum()
        return apart * (256**2 / 2)


VARIATIONS: dict[str, Callable[[Tensor], Tensor]] = {"nine-point": NinePoint(), "neighbours": Neighbours()}
