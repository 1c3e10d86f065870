"""The family ``dcgan-r3``: a small GAN with a modern loss and regularisation, for few images.

After R3GAN (Huang et al. 2024, arXiv:2501.05441; for the networks' deviations see ``r3gan.py``): the
relativistic pairing loss (Jolicoeur-Martineau 2019), softplus of how much more real a generated image looks
than the real one paired with it, so that no mode can be dropped without loss; and zero-centred gradient
penalties on real (R1, Mescheder et al. 2018) and on generated images (R2), which together let it converge
without further tricks. For few images: DiffAugment (Zhao et al. 2020, arXiv:2006.10738). Deviations:

- Penalties every ``penalty_every`` steps, that many times as strong (lazy regularisation, Karras et al. 2020,
  arXiv:1912.04958): the double backward is two thirds of a step.
- Penalties are on the augmented images, as the critic sees them, not on those before DiffAugment.
- Generator and critic see the same images in a step; the published code draws new ones for each.
- Constant rate and penalty; the weights that are exported are averaged instead.

Images are paired by row and nothing is normalised over the batch, so several processes equal one of a larger
batch.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.models.architectures.r3gan import R3Discriminator, R3GANConfig, R3Generator
from artgen.training.critics.diffaugment import apply_diffaugment
from artgen.training.engine.family import OptimiserStep, TrainingContext
from artgen.training.families.latent import LatentBatch, LatentTraining
from artgen.training.material.material import TrainingDataset
from artgen.training.recipes.dcgan import DCGANR3Recipe

ADAM_BETAS = (0.0, 0.99)  # no momentum: each network must follow the other as it is now
# Squared gradients are taken by values in [0, 1]; those by the published values in [-1, 1] are a quarter.
PUBLISHED_GRADIENT_SCALE = 1 / 4


class DCGANR3Training(LatentTraining):
    """The networks, batches and losses by which a small R3GAN trains.

    Args:
        recipe: the recipe.
        dataset: the images.
        context: the folder, device and process.
    """

    def __init__(self, recipe: DCGANR3Recipe, dataset: TrainingDataset, context: TrainingContext) -> None:
        self.recipe = recipe
        super().__init__(recipe, dataset, context)
        self.augmentation_share = recipe.augment
        self.create_optimisers(recipe.rate, ADAM_BETAS)

    def build_networks(self) -> tuple[R3Generator, R3Discriminator]:
        recipe = self.recipe
        config = R3GANConfig(side=recipe.size, latent=recipe.latent, width=recipe.width, blocks=recipe.blocks)
        critic_config = config.model_copy(update={"width": recipe.critic_width})
        return R3Generator(config), R3Discriminator(critic_config)

    def optimiser_steps(self, batch: LatentBatch, progress: float) -> Iterator[OptimiserStep]:
        """Yield the loss of the critic, every few steps with penalties, then that of the generator."""
        recipe = self.recipe
        real = self.move_batch(batch.real)
        fakes = self.generator(self.move_batch(batch.latents))
        critic_real, critic_fakes, generator_real, generator_fakes = (
            apply_diffaugment(images, batch.augmentations[:, use])
            for use, images in enumerate((real, fakes.detach(), real, fakes))
        )
        self.critic.requires_grad_(True)
        is_penalised = batch.step % recipe.penalty_every == 0
        yield self._critic_step(critic_real, critic_fakes, is_penalised=is_penalised)
        self.critic.requires_grad_(False)
        with torch.no_grad():
            real_logits = self.critic(generator_real)
        generator_loss = F.softplus(real_logits - self.critic(generator_fakes)).mean()
        yield OptimiserStep("generator", generator_loss, {"fool": generator_loss.detach()})

    def _critic_step(self, real: Tensor, fakes: Tensor, *, is_penalised: bool) -> OptimiserStep:
        """Return the critic's loss for augmented images ``(B, 3, S, S)``, with or without penalties."""
        images = [part.requires_grad_(is_penalised) for part in (real, fakes)]
        logits = [self.critic(part) for part in images]
        margin = logits[0] - logits[1]
        loss = F.softplus(-margin).mean()
        losses = {"critic": loss.detach(), "margin": margin.detach().mean()}
        if is_penalised:
            r1, r2 = (_gradient_penalty(*parts) for parts in zip(logits, images, strict=True))
            weight = self.recipe.penalty / 2 * self.recipe.penalty_every
            loss = loss + weight * (r1 + r2)
            losses |= {"r1": r1.detach(), "r2": r2.detach()}
        return OptimiserStep("critic", loss, losses)


def _gradient_penalty(logits: Tensor, images: Tensor) -> Tensor:
    """Return the GAN's gradient penalty: mean squared norm of each logit's gradient by its image."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.float().square().sum((1, 2, 3)).mean() * PUBLISHED_GRADIENT_SCALE
