"""The family ``dcgan``: a generator and a discriminator, as artists first trained them on films.

Radford et al. 2015 (arXiv:1511.06434; ``architectures/dcgan.py`` says how the networks deviate): binary
cross-entropy, the generator's in the form that does not saturate (Goodfellow et al. 2014, arXiv:1406.2661),
Adam at 2e-4 with a first beta of 0.5, real and made pictures in batches of their own, so that batch norm
sees one kind at a time. Deviations: weights are averaged, and smaller batches are the default, because an
artist's set is small. Batch norm makes two processes differ from one of twice the batch.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.models.architectures.dcgan import DCDiscriminator, DCGANConfig, DCGenerator
from artgen.training.engine.family import Place, Turn
from artgen.training.families.latent import LatentBatch, LatentTraining
from artgen.training.material.material import Material
from artgen.training.recipes.dcgan import DCGANRecipe


class DCGANTraining(LatentTraining):
    """DCGAN as published."""

    def __init__(self, recipe: DCGANRecipe, material: Material, place: Place) -> None:
        self.recipe = recipe
        super().__init__(recipe, material, place)
        betas = (recipe.momentum, 0.999)
        self.optimisers = {
            name: torch.optim.Adam(network.parameters(), recipe.rate, betas)
            for name, network in self.networks.items()
        }

    def pair(self) -> tuple[DCGenerator, DCDiscriminator]:
        recipe = self.recipe
        sizes = DCGANConfig(side=recipe.size, latent=recipe.latent, width=recipe.width)
        critic_sizes = sizes.model_copy(update={"width": recipe.critic_width})
        return DCGenerator(sizes), DCDiscriminator(critic_sizes)

    def turns(self, batch: LatentBatch, done: float) -> Iterator[Turn]:
        """The discriminator by real and made pictures, then the generator by the new discriminator."""
        device = self.place.device
        real = batch.real.to(device, memory_format=torch.channels_last)
        made = self.generator(batch.latents.to(device))
        self.critic.requires_grad_(True)
        verdicts = self.critic(real), self.critic(made.detach())
        loss = _real(verdicts[0], True) + _real(verdicts[1], False)
        right = torch.stack([(verdicts[0] > 0).float().mean(), (verdicts[1] < 0).float().mean()]).mean()
        yield Turn("critic", loss, {"critic": loss.detach(), "right": right})
        self.critic.requires_grad_(False)
        fool = _real(self.critic(made), True)
        yield Turn("generator", fool, {"fool": fool.detach()})


def _real(logits: Tensor, value: bool) -> Tensor:
    """Cross-entropy of calling every picture real, or none."""
    return F.softplus(-logits if value else logits).mean()
