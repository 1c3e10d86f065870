"""The critics of an up-imager, and the losses of critic and generator.

``HingeCriticLoss``: hinge loss (Lim and Ye 2017, arXiv:1705.02894) under spectral norm, and feature matching
(Wang et al. 2018, pix2pixHD). ``RelativisticCriticLoss``: pairs of real and generated images
(Jolicoeur-Martineau 2018, arXiv:1807.00734) under the gradient penalties R1 and R2, as in R3GAN (Huang et al.
2024, arXiv:2501.05441), every few steps only (Karras et al. 2020). Deviations: both images of a pair have the
same thumbnail, and gradients are with respect to the magnified detail.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.training.critics.discriminator import CRITIC_DETAIL_GAIN, TwoScaleDiscriminator
from artgen.training.engine.family import OptimiserStep
from artgen.training.recipes.upimage import UpImageRecipe


@dataclass(frozen=True)
class CriticOutput:
    """Logits and features that a critic gives for a batch of targets followed by generated images.

    Attributes:
        images: ``(target_count + B, 3, H, W)`` in [0, 1].
        conditions: the enlarged thumbnail of each image, of the same shape.
        logits: for each scale ``(target_count + B, 1, h, w)``, above 0 for real.
        features: for each layer ``(target_count + B, C, h, w)``.
        target_count: 1 to B: rows that are second passes of the model's own pictures come last and have no
            target.
    """

    images: Tensor
    conditions: Tensor
    logits: Sequence[Tensor]
    features: Sequence[Tensor]
    target_count: int

    def split_logits(self) -> list[tuple[Tensor, Tensor]]:
        """Return the logits of targets and of generated images, for each scale."""
        return [(logits[: self.target_count], logits[self.target_count :]) for logits in self.logits]


class CriticLoss(ABC):
    """A discriminator (critic) with its own loss, and the adversarial loss that it gives the generator.

    Args:
        width: channels of the critic, as in ``TwoScaleDiscriminator``.
    """

    use_spectral_norm: ClassVar[bool]
    """Whether the critic's layers are under spectral norm."""

    def __init__(self, width: int) -> None:
        self.critic = TwoScaleDiscriminator(width, use_spectral_norm=self.use_spectral_norm)

    def run_critic(self, targets: Tensor, generated: Tensor, conditions: Tensor) -> CriticOutput:
        """Run the critic on targets and generated images, for its own step.

        Args:
            targets: ``(target_count, 3, H, W)``, targets of the first rows.
            generated: ``(B, 3, H, W)``; detached, so that no gradient reaches the generator.
            conditions: ``(B, 3, H, W)``.
        """
        self.critic.requires_grad_(True)
        target_count = len(targets)
        conditions = torch.cat([conditions[:target_count], conditions])
        images = torch.cat([targets, generated.detach()])
        logits, features = self.critic(images, conditions)
        return CriticOutput(images, conditions, logits, features, target_count)

    @abstractmethod
    def critic_step(self, output: CriticOutput, step: int) -> OptimiserStep:
        """Return the critic's loss of training step ``step``, with the optimiser that minimises it."""

    def generator_losses(
        self, generated: Tensor, conditions: Tensor, output: CriticOutput
    ) -> dict[str, Tensor]:
        """Return the generator's losses ``fool`` and ``features``, with the critic frozen.

        Args:
            generated: ``(B, 3, H, W)``.
            conditions: ``(B, 3, H, W)``.
            output: what ``run_critic`` returned in this step.
        """
        self.critic.requires_grad_(False)
        logits, generated_features = self.critic(generated, conditions)
        count = output.target_count
        distances = [
            self.feature_distance(generated_layer[:count], real_layer[:count].detach())
            for generated_layer, real_layer in zip(generated_features, output.features, strict=True)
        ]
        return {"fool": self.adversarial_loss(logits, output), "features": _mean_of_losses(distances)}

    @abstractmethod
    def adversarial_loss(self, logits: Sequence[Tensor], output: CriticOutput) -> Tensor:
        """Return the generator's loss from the critic's ``logits`` of generated images at each scale."""

    @abstractmethod
    def feature_distance(self, generated: Tensor, real: Tensor) -> Tensor:
        """Return the distance of one layer's features of generated images from those of their targets."""


class HingeCriticLoss(CriticLoss):
    """Hinge GAN loss of each logit by itself: beyond a margin of 1 it costs the critic nothing."""

    use_spectral_norm = True

    def critic_step(self, output: CriticOutput, step: int) -> OptimiserStep:
        loss = _mean_of_losses(
            [
                F.relu(1 - real).mean() + F.relu(1 + generated).mean()
                for real, generated in output.split_logits()
            ]
        )
        return OptimiserStep("critic", loss, {"critic": loss.detach()})

    def adversarial_loss(self, logits: Sequence[Tensor], output: CriticOutput) -> Tensor:
        return _mean_of_losses([-generated.mean() for generated in logits])

    def feature_distance(self, generated: Tensor, real: Tensor) -> Tensor:
        return F.l1_loss(generated, real)


class RelativisticCriticLoss(CriticLoss):
    """GAN loss of the difference between the logits of generated image and target, with penalties.

    Args:
        width: channels of the critic.
        penalty_weight: weight of the penalties.
        penalty_every: steps between penalties; each is that many times as strong.
    """

    use_spectral_norm = False

    def __init__(self, width: int, penalty_weight: float, penalty_every: int) -> None:
        super().__init__(width)
        self.penalty_weight, self.penalty_every = penalty_weight, penalty_every

    def critic_step(self, output: CriticOutput, step: int) -> OptimiserStep:
        loss = _mean_of_losses(
            [
                F.softplus(generated - _pair_with_generated(real, len(generated))).mean()
                for real, generated in output.split_logits()
            ]
        )
        reported_losses = {"critic": loss.detach()}
        if step % self.penalty_every == 0:
            penalty = self._gradient_penalty(output.images, output.conditions)
            reported_losses["penalty"] = penalty.detach()
            loss = loss + self.penalty_weight / 2 * self.penalty_every * penalty
        return OptimiserStep("critic", loss, reported_losses)

    def adversarial_loss(self, logits: Sequence[Tensor], output: CriticOutput) -> Tensor:
        pairs = [
            (real.detach(), generated)
            for (real, _), generated in zip(output.split_logits(), logits, strict=True)
        ]
        return _mean_of_losses(
            [
                F.softplus(_pair_with_generated(real, len(generated)) - generated).mean()
                for real, generated in pairs
            ]
        )

    def feature_distance(self, generated: Tensor, real: Tensor) -> Tensor:
        """Return the distance relative to the size of the features, which no norm bounds here."""
        return F.l1_loss(generated, real) / (real.abs().mean() + 1e-6)

    def _gradient_penalty(self, images: Tensor, conditions: Tensor) -> Tensor:
        """Return R1 plus R2: the squared gradient of the logits with respect to the magnified detail."""
        with torch.autocast(images.device.type, enabled=False):
            detail = ((images - conditions) * CRITIC_DETAIL_GAIN).float().detach().requires_grad_(True)
            scales, _ = self.critic.forward_detail(detail, conditions.float())
            penalties = []
            for logits in scales:
                (gradient,) = torch.autograd.grad(logits.sum(), detail, create_graph=True)
                penalties.append(gradient.square().sum((1, 2, 3)).mean() / logits[0].numel())
            return 2 * _mean_of_losses(penalties)


def build_critic_loss(recipe: UpImageRecipe) -> CriticLoss:
    """Build the critic and the GAN loss that ``recipe`` names, with weights from torch's generator."""
    if recipe.critic == "spectral":
        return HingeCriticLoss(recipe.critic_width)
    return RelativisticCriticLoss(recipe.critic_width, recipe.penalty, recipe.penalty_every)


def _pair_with_generated(real: Tensor, count: int) -> Tensor:
    """Repeat the critic's first logits of targets, one for each of ``count`` generated images."""
    return real if len(real) == count else torch.cat([real, real[: count - len(real)]])


def _mean_of_losses(losses: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(losses)).mean()
