"""How an up-imager is judged: a critic, and what it and the generator pay for its verdicts.

``SpectralJudge``: hinge loss (Lim and Ye 2017, arXiv:1705.02894) under spectral norm, and feature matching
(Wang et al. 2018, pix2pixHD). ``PenalisedJudge``: pairs of real and made (Jolicoeur-Martineau 2018,
arXiv:1807.00734) under the penalties R1 and R2, as in R3GAN (Huang et al. 2024, arXiv:2501.05441), every few
steps only (Karras et al. 2020). Deviations: a pair shares its thumbnail, and slopes are by the magnified
detail.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.training.critics.discriminator import DETAIL, Critic
from artgen.training.engine.family import Turn
from artgen.training.recipes.upimage import UpImageRecipe


@dataclass(frozen=True)
class Seen:
    """What a critic was shown, ``count`` targets before all that was made, and what it found.

    Attributes:
        pictures: ``(count + B, 3, H, W)`` in [0, 1].
        conditions: what each depends on, of the same shape.
        verdicts: of each scale, ``(count + B, 1, h, w)``, above 0 for real.
        features: of every layer, ``(count + B, C, h, w)``.
        count: 1 to B: own pictures, which come last, have no target.
    """

    pictures: Tensor
    conditions: Tensor
    verdicts: Sequence[Tensor]
    features: Sequence[Tensor]
    count: int

    def told(self) -> list[tuple[Tensor, Tensor]]:
        """Verdicts of each scale on targets and on what was made."""
        return [(verdict[: self.count], verdict[self.count :]) for verdict in self.verdicts]


class Judge(ABC):
    """A critic and its rules.

    Args:
        width: of the critic, as in ``Critic``.
    """

    spectral: ClassVar[bool]
    """Whether spectral norm holds the critic's layers."""

    def __init__(self, width: int) -> None:
        self.critic = Critic(width, spectral=self.spectral)

    def look(self, targets: Tensor, made: Tensor, conditions: Tensor) -> Seen:
        """Show the critic what it is to learn from.

        Args:
            targets: ``(count, 3, H, W)``, of the first rows.
            made: ``(B, 3, H, W)``; it learns nothing from how they were made.
            conditions: ``(B, 3, H, W)``.
        """
        self.critic.requires_grad_(True)
        count = len(targets)
        conditions = torch.cat([conditions[:count], conditions])
        pictures = torch.cat([targets, made.detach()])
        verdicts, features = self.critic(pictures, conditions)
        return Seen(pictures, conditions, verdicts, features, count)

    @abstractmethod
    def turn(self, seen: Seen, number: int) -> Turn:
        """The critic's turn in step ``number``."""

    def persuade(self, made: Tensor, conditions: Tensor, seen: Seen) -> dict[str, Tensor]:
        """What the generator pays, once the critic has learned from ``seen``: ``fool`` and ``features``."""
        self.critic.requires_grad_(False)
        verdicts, own = self.critic(made, conditions)
        count = seen.count
        layers = [(a[:count], b[:count].detach()) for a, b in zip(own, seen.features, strict=True)]
        return {"fool": self.fool(verdicts, seen), "features": _mean([self.apart(*each) for each in layers])}

    @abstractmethod
    def fool(self, verdicts: Sequence[Tensor], seen: Seen) -> Tensor:
        """What ``verdicts`` on made pictures, of each scale, cost the generator."""

    @abstractmethod
    def apart(self, own: Tensor, real: Tensor) -> Tensor:
        """How far one layer's features of made pictures are from those of their targets."""


class SpectralJudge(Judge):
    """Every verdict stands for itself; beyond a margin it costs the critic nothing."""

    spectral = True

    def turn(self, seen: Seen, number: int) -> Turn:
        loss = _mean([F.relu(1 - real).mean() + F.relu(1 + made).mean() for real, made in seen.told()])
        return Turn("critic", loss, {"critic": loss.detach()})

    def fool(self, verdicts: Sequence[Tensor], seen: Seen) -> Tensor:
        return _mean([-made.mean() for made in verdicts])

    def apart(self, own: Tensor, real: Tensor) -> Tensor:
        return F.l1_loss(own, real)


class PenalisedJudge(Judge):
    """A verdict counts against that on the target; how steep verdicts are costs the critic.

    Args:
        width: of the critic.
        weight: of the penalties.
        every: steps between them; each is that many times as strong.
    """

    spectral = False

    def __init__(self, width: int, weight: float, every: int) -> None:
        super().__init__(width)
        self.weight, self.every = weight, every

    def turn(self, seen: Seen, number: int) -> Turn:
        loss = _mean([F.softplus(made - _beside(real, len(made))).mean() for real, made in seen.told()])
        losses = {"critic": loss.detach()}
        if number % self.every == 0:
            penalty = self._penalty(seen.pictures, seen.conditions)
            losses["penalty"] = penalty.detach()
            loss = loss + self.weight / 2 * self.every * penalty
        return Turn("critic", loss, losses)

    def fool(self, verdicts: Sequence[Tensor], seen: Seen) -> Tensor:
        pairs = [(real.detach(), made) for (real, _), made in zip(seen.told(), verdicts, strict=True)]
        return _mean([F.softplus(_beside(real, len(made)) - made).mean() for real, made in pairs])

    def apart(self, own: Tensor, real: Tensor) -> Tensor:
        """Relative to the size of the features, which nothing bounds here."""
        return F.l1_loss(own, real) / (real.abs().mean() + 1e-6)

    def _penalty(self, pictures: Tensor, conditions: Tensor) -> Tensor:
        """R1 and R2 in one: the squared gradient of a verdict by the magnified detail, for real and made."""
        with torch.autocast(pictures.device.type, enabled=False):
            detail = ((pictures - conditions) * DETAIL).float().detach().requires_grad_(True)
            verdicts, _ = self.critic.judge(detail, conditions.float())
            penalties = []
            for verdict in verdicts:
                (slope,) = torch.autograd.grad(verdict.sum(), detail, create_graph=True)
                penalties.append(slope.square().sum((1, 2, 3)).mean() / verdict[0].numel())
            return 2 * _mean(penalties)


def judge_of(recipe: UpImageRecipe) -> Judge:
    """The judge that ``recipe`` asks for; its critic's first weights are torch's next chance."""
    if recipe.critic == "spectral":
        return SpectralJudge(recipe.critic_width)
    return PenalisedJudge(recipe.critic_width, recipe.penalty, recipe.penalty_every)


def _beside(real: Tensor, count: int) -> Tensor:
    """Verdicts on targets for ``count`` made pictures; what has no target is judged against the first."""
    return real if len(real) == count else torch.cat([real, real[: count - len(real)]])


def _mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()
