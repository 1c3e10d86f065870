"""The family ``dcgan-r3``: what is known since about training a GAN, in small, for few pictures.

After R3GAN (Huang et al. 2024, arXiv:2501.05441; ``r3gan.py`` says how the networks deviate): the
relativistic pairing loss (Jolicoeur-Martineau 2019), softplus of how much more real a made picture looks
than the real one beside it, so that no mode can be dropped without loss; and zero-centred gradient
penalties on real (R1, Mescheder et al. 2018) and on made pictures (R2), which together let it converge
without any further tricks. For few pictures: DiffAugment (Zhao et al. 2020, arXiv:2006.10738). Deviations:

- Penalties every ``penalty_every`` steps, that many times as strong (lazy regularisation, Karras et al. 2020,
  arXiv:1912.04958): the double backward is two thirds of a step.
- Penalties are on the changed pictures, as the critic sees them, not on those before DiffAugment.
- Generator and critic see the same pictures in a step; the published code draws new ones for each.
- Constant rate and penalty; the weights that ship are averaged instead.

Pictures are paired by row and nothing is normalised over the batch, so processes equal one of a larger batch.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.models.architectures.r3gan import R3Discriminator, R3GANConfig, R3Generator
from artgen.training.critics.diffaugment import augment
from artgen.training.engine.family import Place, Turn
from artgen.training.families.latent import LatentBatch, LatentTraining
from artgen.training.material.material import Material
from artgen.training.recipes.dcgan import DCGANR3Recipe

BETAS = (0.0, 0.99)  # no momentum: each network must follow the other as it is now
PUBLISHED = 1 / 4  # of a squared gradient by values in [0, 1]: what it is by values in [-1, 1]


class DCGANR3Training(LatentTraining):
    """A small R3GAN."""

    def __init__(self, recipe: DCGANR3Recipe, material: Material, place: Place) -> None:
        self.recipe = recipe
        super().__init__(recipe, material, place)
        self.changed = recipe.augment
        self.optimisers = {
            name: torch.optim.Adam(network.parameters(), recipe.rate, BETAS)
            for name, network in self.networks.items()
        }

    def pair(self) -> tuple[R3Generator, R3Discriminator]:
        recipe = self.recipe
        sizes = R3GANConfig(side=recipe.size, latent=recipe.latent, width=recipe.width, blocks=recipe.blocks)
        critic_sizes = sizes.model_copy(update={"width": recipe.critic_width})
        return R3Generator(sizes), R3Discriminator(critic_sizes)

    def turns(self, batch: LatentBatch, done: float) -> Iterator[Turn]:
        """The critic by pairs of real and made, now and then with penalties; then the generator."""
        recipe, device = self.recipe, self.place.device
        real = batch.real.to(device, memory_format=torch.channels_last)
        made = self.generator(batch.latents.to(device))
        views = [
            augment(pictures, batch.chance[:, use])
            for use, pictures in enumerate((real, made.detach(), real, made))
        ]
        self.critic.requires_grad_(True)
        yield self._critic(*views[:2], penalised=batch.number % recipe.penalty_every == 0)
        self.critic.requires_grad_(False)
        with torch.no_grad():
            better = self.critic(views[2])
        fool = F.softplus(better - self.critic(views[3])).mean()
        yield Turn("generator", fool, {"fool": fool.detach()})

    def _critic(self, real: Tensor, made: Tensor, *, penalised: bool) -> Turn:
        """The critic's turn."""
        seen = [pictures.requires_grad_(penalised) for pictures in (real, made)]
        verdicts = [self.critic(pictures) for pictures in seen]
        margin = verdicts[0] - verdicts[1]
        loss = F.softplus(-margin).mean()
        losses = {"critic": loss.detach(), "margin": margin.detach().mean()}
        if penalised:
            r1, r2 = (_steepness(*judged) for judged in zip(verdicts, seen, strict=True))
            weight = self.recipe.penalty / 2 * self.recipe.penalty_every
            loss = loss + weight * (r1 + r2)
            losses |= {"r1": r1.detach(), "r2": r2.detach()}
        return Turn("critic", loss, losses)


def _steepness(verdicts: Tensor, pictures: Tensor) -> Tensor:
    """Mean squared norm of the gradient of each verdict by its picture, on the scale of [-1, 1]."""
    (gradient,) = torch.autograd.grad(verdicts.sum(), pictures, create_graph=True)
    return gradient.float().square().sum((1, 2, 3)).mean() * PUBLISHED
