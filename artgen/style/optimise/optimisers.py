"""Optimisers of pixels: L-BFGS, and Adam with moments that can be resized with the image."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.style.optimise.presets import OptimiseSettings


class LBFGS:
    """Optimiser of pixels: limited-memory BFGS (Liu and Nocedal 1989) with full steps, no line search.

    Images are not clamped, because bounds would falsify the estimated curvature.

    Args:
        history: number of stored steps, each of which takes the memory of two images.
    """

    def __init__(self, history: int) -> None:
        self.step_pairs: deque[tuple[Tensor, Tensor, float]] = deque(maxlen=history)
        self.last_step: tuple[Tensor, Tensor] | None = None

    def step(self, image: Tensor, gradient: Tensor) -> Tensor:
        """Return the next image of the optimisation; both arguments are ``(3, H, W)`` and stay unchanged."""
        if self.last_step is None:
            self.last_step = image, gradient
            return image - gradient * min(1.0, 1.0 / float(gradient.abs().sum().clamp_min(1e-30)))
        image_change, gradient_change = image - self.last_step[0], gradient - self.last_step[1]
        curvature = _dot_product(gradient_change, image_change)
        if curvature > 1e-10 * _dot_product(image_change, image_change):
            self.step_pairs.append((image_change, gradient_change, curvature))
        self.last_step = image, gradient
        return image - self._newton_direction(gradient)

    def _newton_direction(self, gradient: Tensor) -> Tensor:
        """Return the gradient multiplied by the estimated inverse Hessian (two-loop recursion)."""
        direction, projections = gradient.clone(), []
        for image_change, gradient_change, curvature in reversed(self.step_pairs):
            projection = _dot_product(image_change, direction) / curvature
            projections.append(projection)
            direction.sub_(gradient_change, alpha=projection)
        if self.step_pairs:
            _, gradient_change, curvature = self.step_pairs[-1]
            direction.mul_(curvature / _dot_product(gradient_change, gradient_change))
        for (image_change, gradient_change, curvature), projection in zip(
            self.step_pairs, reversed(projections), strict=True
        ):
            direction.add_(
                image_change, alpha=projection - _dot_product(gradient_change, direction) / curvature
            )
        return direction

    def resized(self, size: Sequence[int]) -> LBFGS:
        """Return a new L-BFGS optimiser: the curvature at one image size says little about another."""
        return LBFGS(self.step_pairs.maxlen or 1)


class Adam:
    """Optimiser of pixels: Adam (Kingma and Ba 2015, arXiv:1412.6980), clamped to [0, 1] after every step.

    Args:
        learning_rate: about the largest change of a colour in one step.
        betas: decay of the gradient's running mean and mean square.
    """

    def __init__(self, learning_rate: float, betas: tuple[float, float]) -> None:
        self.learning_rate, self.betas, self.step_count = learning_rate, betas, 0
        self.moments: tuple[Tensor, Tensor] | None = None

    def step(self, image: Tensor, gradient: Tensor) -> Tensor:
        """Return the next image of the optimisation; both arguments are ``(3, H, W)`` and stay unchanged."""
        first, second = self.moments or (torch.zeros_like(gradient), torch.zeros_like(gradient))
        self.step_count += 1
        first_decay, second_decay = self.betas
        first = first.lerp(gradient, 1 - first_decay)
        second = second.lerp(gradient.square(), 1 - second_decay)
        self.moments = first, second
        scale = (second / (1 - second_decay**self.step_count)).sqrt_().add_(1e-8)
        step_size = self.learning_rate / (1 - first_decay**self.step_count)
        return (image - step_size * first / scale).clamp_(0, 1)

    def resized(self, size: Sequence[int]) -> Adam:
        """Return Adam with its moments resized with the image, as in crowsonkb/style-transfer-pytorch."""
        resized_optimiser = Adam(self.learning_rate, self.betas)
        resized_optimiser.step_count = self.step_count
        if self.moments is not None:
            first = F.interpolate(self.moments[0][None], tuple(size), mode="bicubic")[0]
            second = F.interpolate(self.moments[1][None], tuple(size), mode="bilinear")[0]
            resized_optimiser.moments = first, second.clamp_min_(0)
        return resized_optimiser


PixelOptimiser = LBFGS | Adam


class RunningAverage:
    """Exponential moving average of a style optimisation's images, without bias towards the first.

    Args:
        image: the first image.
        decay: factor on the weight of older images at each step.
    """

    def __init__(self, image: Tensor, decay: float) -> None:
        self.decay, self.initial_weight = decay, decay
        self.weighted_sum = image * (1 - decay)

    def add(self, image: Tensor) -> None:
        """Add the optimisation's next image to the moving average."""
        self.weighted_sum = self.weighted_sum.lerp(image, 1 - self.decay)
        self.initial_weight *= self.decay

    @property
    def image(self) -> Tensor:
        """The averaged image, ``(3, H, W)``."""
        return self.weighted_sum / (1 - self.initial_weight)


def build_optimiser(settings: OptimiseSettings) -> PixelOptimiser:
    """Build the optimiser of pixels, L-BFGS or Adam, that the settings choose."""
    if settings.optimiser == "lbfgs":
        return LBFGS(settings.lbfgs_history)
    return Adam(settings.adam_learning_rate, settings.adam_betas)


def _dot_product(one: Tensor, other: Tensor) -> float:
    return float(torch.dot(one.flatten(), other.flatten()))
