"""The family ``dcgan``: a generator and a discriminator, as artists first trained them on films.

Radford et al. 2015 (arXiv:1511.06434; for the networks' deviations see ``architectures/dcgan.py``): binary
cross-entropy, the generator's in the form that does not saturate (Goodfellow et al. 2014, arXiv:1406.2661),
Adam at 2e-4 with a first beta of 0.5, real and generated images in separate batches, so that batch norm sees
one kind at a time. Deviations: weights are averaged, and smaller batches are the default, because an artist's
dataset is small. Because of batch norm, two processes do not equal one of twice the batch size.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.models.architectures.dcgan import DCDiscriminator, DCGANConfig, DCGenerator
from artgen.training.engine.family import OptimiserStep, TrainingContext
from artgen.training.families.latent import LatentBatch, LatentTraining
from artgen.training.material.material import TrainingDataset
from artgen.training.recipes.dcgan import DCGANRecipe


class DCGANTraining(LatentTraining):
    """The networks, batches and losses by which DCGAN trains, as published.

    Args:
        recipe: the recipe.
        dataset: the images.
        context: the folder, device and process.
    """

    def __init__(self, recipe: DCGANRecipe, dataset: TrainingDataset, context: TrainingContext) -> None:
        self.recipe = recipe
        super().__init__(recipe, dataset, context)
        self.create_optimisers(recipe.rate, (recipe.momentum, 0.999))

    def build_networks(self) -> tuple[DCGenerator, DCDiscriminator]:
        recipe = self.recipe
        config = DCGANConfig(side=recipe.size, latent=recipe.latent, width=recipe.width)
        critic_config = config.model_copy(update={"width": recipe.critic_width})
        return DCGenerator(config), DCDiscriminator(critic_config)

    def optimiser_steps(self, batch: LatentBatch, progress: float) -> Iterator[OptimiserStep]:
        """Yield the loss of the discriminator, then that of the generator by the updated discriminator."""
        real = self.move_batch(batch.real)
        fakes = self.generator(self.move_batch(batch.latents))
        self.critic.requires_grad_(True)
        real_logits, fake_logits = self.critic(real), self.critic(fakes.detach())
        critic_loss = _cross_entropy(real_logits, True) + _cross_entropy(fake_logits, False)
        accuracy = torch.stack([(real_logits > 0).float().mean(), (fake_logits < 0).float().mean()]).mean()
        yield OptimiserStep("critic", critic_loss, {"critic": critic_loss.detach(), "right": accuracy})
        self.critic.requires_grad_(False)
        generator_loss = _cross_entropy(self.critic(fakes), True)
        yield OptimiserStep("generator", generator_loss, {"fool": generator_loss.detach()})


def _cross_entropy(logits: Tensor, is_real: bool) -> Tensor:
    """Return the GAN loss of a discriminator: cross-entropy of logits of images all real or all fake."""
    return F.softplus(-logits if is_real else logits).mean()
