"""Steps downhill: L-BFGS, and Adam whose moments can be taken to another size."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.style.optimise.presets import OptimiseSettings


class Descent(Protocol):
    """Where to look next, from where one is and how it slopes there."""

    def step(self, picture: Tensor, gradient: Tensor) -> Tensor:
        """``(3, H, W)`` both; neither is changed."""
        ...

    def resized(self, size: tuple[int, int]) -> Descent:
        """The same, with what it has learned taken to a picture of ``(H, W)``."""
        ...


class LBFGS:
    """Limited-memory BFGS (Liu and Nocedal 1989), whole steps, without a search along them.

    Nothing is clamped: a bound it does not know of would falsify what it learns of the curvature.

    Args:
        history: steps remembered, each of them two pictures.
    """

    def __init__(self, history: int) -> None:
        self.pairs: deque[tuple[Tensor, Tensor, float]] = deque(maxlen=history)
        self.last: tuple[Tensor, Tensor] | None = None

    def step(self, picture: Tensor, gradient: Tensor) -> Tensor:
        if self.last is None:
            self.last = picture, gradient
            return picture - gradient * min(1.0, 1.0 / float(gradient.abs().sum().clamp_min(1e-30)))
        moved, turned = picture - self.last[0], gradient - self.last[1]
        curvature = _dot(turned, moved)
        if curvature > 1e-10 * _dot(moved, moved):
            self.pairs.append((moved, turned, curvature))
        self.last = picture, gradient
        return picture - self._newton(gradient)

    def _newton(self, gradient: Tensor) -> Tensor:
        """The gradient over the curvature, as far as it is known."""
        way, parts = gradient.clone(), []
        for moved, turned, curvature in reversed(self.pairs):
            part = _dot(moved, way) / curvature
            parts.append(part)
            way.sub_(turned, alpha=part)
        if self.pairs:
            _, turned, curvature = self.pairs[-1]
            way.mul_(curvature / _dot(turned, turned))
        for (moved, turned, curvature), part in zip(self.pairs, reversed(parts), strict=True):
            way.add_(moved, alpha=part - _dot(turned, way) / curvature)
        return way

    def resized(self, size: tuple[int, int]) -> LBFGS:
        """Begins anew: curvature at one size says little about another."""
        return LBFGS(self.pairs.maxlen or 1)


class Adam:
    """Kingma and Ba 2015 (arXiv:1412.6980), kept to [0, 1] after every step.

    Args:
        rate: of learning, the most that a step changes a colour.
        betas: decays of the gradient's mean and mean square.
    """

    def __init__(self, rate: float, betas: tuple[float, float]) -> None:
        self.rate, self.betas, self.steps = rate, betas, 0
        self.first: Tensor | None = None
        self.second: Tensor | None = None

    def step(self, picture: Tensor, gradient: Tensor) -> Tensor:
        first, second = self.first, self.second
        if first is None or second is None:
            first, second = torch.zeros_like(gradient), torch.zeros_like(gradient)
        self.steps += 1
        early, late = self.betas
        self.first = first.lerp(gradient, 1 - early)
        self.second = second.lerp(gradient.square(), 1 - late)
        height = (self.second / (1 - late**self.steps)).sqrt_().add_(1e-8)
        return (picture - self.rate / (1 - early**self.steps) * self.first / height).clamp_(0, 1)

    def resized(self, size: tuple[int, int]) -> Adam:
        """The moments are enlarged with the picture, as crowsonkb/style-transfer-pytorch does."""
        other = Adam(self.rate, self.betas)
        other.steps = self.steps
        if self.first is not None and self.second is not None:
            other.first = F.interpolate(self.first[None], size, mode="bicubic")[0]
            other.second = F.interpolate(self.second[None], size, mode="bilinear")[0].clamp_min_(0)
        return other


class Average:
    """Mean of the pictures so far, later ones counting more; not drawn towards the first.

    Args:
        picture: the first one.
        decay: of the older ones' weight at each step.
    """

    def __init__(self, picture: Tensor, decay: float) -> None:
        self.decay, self.left = decay, decay
        self.sum = picture * (1 - decay)

    def add(self, picture: Tensor) -> None:
        """The next picture."""
        self.sum = self.sum.lerp(picture, 1 - self.decay)
        self.left *= self.decay

    @property
    def picture(self) -> Tensor:
        """``(3, H, W)``."""
        return self.sum / (1 - self.left)


def begin(settings: OptimiseSettings) -> Descent:
    """The optimiser that the settings ask for."""
    return LBFGS(settings.history) if settings.optimiser == "lbfgs" else Adam(settings.rate, settings.betas)


def _dot(one: Tensor, other: Tensor) -> float:
    return float(torch.dot(one.flatten(), other.flatten()))
