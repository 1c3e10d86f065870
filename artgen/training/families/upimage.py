"""The family ``upimage``: a compact generator learns to invent what a thumbnail has lost.

A conditional GAN: patch discriminators with one of two losses (``critic_loss.py``), feature matching, mode
seeking (Mao et al. 2019), and L1 that fades out. The first steps are L1 only. A share of the inputs is taken
from the model's own earlier images, because otherwise a second pass destroys what the first one made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import block_means
from artgen.models.architectures.network import Network
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.training.critics.critic_loss import build_critic_loss
from artgen.training.engine.family import (
    Evaluation,
    ModelFamily,
    OptimiserStep,
    TrainingContext,
    make_grid,
    seeded_weights,
)
from artgen.training.evaluation.metrics import evaluate_upimager, upscale_each
from artgen.training.material.material import TrainingDataset
from artgen.training.pairs import build_pair_maker
from artgen.training.recipes.upimage import CropSizeTable, UpImageRecipe

MAX_POOLED_OWN_IMAGES = 48  # of the model's own earlier images that are kept for second passes
OWN_IMAGE_EVERY_STEPS = 4
MAX_SAMPLE_IMAGES = 5
SAMPLE_THUMBNAIL_PX = 32
ADAM_BETAS = (0.0, 0.99)  # no momentum: each network must follow the other as it is now


@dataclass
class UpImageBatch:
    """Thumbnails, noise and targets for one training step; the first two rows have the same input.

    Attributes:
        step: the training step, from 0.
        inputs: thumbnails, ``(B, 3, crop, crop)``.
        targets: ``(B, 3, scale * crop, scale * crop)``.
        noise: noise of each of the generator's noise layers, ``(B, C, k * crop, k * crop)``.
    """

    step: int
    inputs: Tensor
    targets: Tensor
    noise: list[Tensor]


class UpImageTraining(ModelFamily):
    """The networks, batches and losses by which an up-imager trains.

    Args:
        recipe: the recipe.
        dataset: the images.
        context: the folder, device and process.
    """

    # Also on a CPU: unlike with a U-Net, a step is then no slower (0.98 of the time).
    memory_format = torch.channels_last

    def __init__(self, recipe: UpImageRecipe, dataset: TrainingDataset, context: TrainingContext) -> None:
        self.recipe, self.context, self.seed = recipe, context, recipe.seed
        self.pair_maker = build_pair_maker(recipe.pair_table(), dataset)
        self.dataset = dataset
        with seeded_weights(recipe.seed):
            config = UpImagerConfig(width=recipe.width, blocks=recipe.blocks, widths=tuple(recipe.widths))
            self.generator = UpImager(config)
            self.critic_loss = build_critic_loss(recipe)
        critic = self.critic_loss.critic
        self.networks = {"generator": self.generator, "critic": critic}
        self.move_networks()
        critic_rate = recipe.rate * recipe.critic_rate
        self.optimisers = {
            "generator": torch.optim.Adam(self.generator.parameters(), recipe.rate, ADAM_BETAS),
            "critic": torch.optim.Adam(critic.parameters(), critic_rate, ADAM_BETAS),
        }
        self.own_images: list[Tensor] = []
        self.batch_size = recipe.sizes[0].batch

    def draw_batch(self, step: int) -> UpImageBatch:
        size = self._crop_size(step / self.recipe.steps)
        scale = self.generator.config.scale
        rngs = list(self.row_generators(step, size.batch))
        pairs = [self.pair_maker.draw_pair(size.crop * scale, rng) for rng in rngs[1:]]
        pairs = [pairs[0], *pairs]
        noise = [
            torch.stack(
                [
                    torch.from_numpy(
                        rng.standard_normal((channels, size.crop * factor, size.crop * factor), np.float32)
                    )
                    for rng in rngs
                ]
            )
            for channels, factor in self.generator.noise_layers()
        ]
        inputs, targets = (torch.stack([pair[part] for pair in pairs]) for part in (0, 1))
        return UpImageBatch(step, inputs, targets, noise)

    def optimiser_steps(self, batch: UpImageBatch, progress: float) -> Iterator[OptimiserStep]:
        """Yield the loss of the critic, then that of the generator; in the warm-up only one of them.

        From random weights, the generator has the warm-up alone, with L1. A generator that starts from a
        finished model would unlearn under an untrained critic; then the critic has the warm-up alone.
        """
        recipe = self.recipe
        self.batch_size = len(batch.inputs)
        target_count = self._replace_last_input(batch)
        inputs, targets = self.move_batch(batch.inputs), self.move_batch(batch.targets)[:target_count]
        trains_critic_alone = recipe.start is not None and progress < recipe.warm_up
        with torch.set_grad_enabled(not trains_critic_alone):
            fakes = self.generator(inputs, [self.move_batch(noise) for noise in batch.noise])
        if trains_critic_alone:
            output = self.critic_loss.run_critic(targets, fakes, self._enlarge(inputs))
            yield self.critic_loss.critic_step(output, batch.step)
            return
        losses = {"l1": (fakes[:target_count] - targets).abs().sum() / fakes.numel()}
        fade = min(1.0, max(0.0, (progress - recipe.warm_up) / recipe.l1_fade))
        total_loss = losses["l1"] * (recipe.l1 + (recipe.l1_end - recipe.l1) * fade)
        losses["consistency"] = F.l1_loss(block_means(fakes, self.generator.config.scale), inputs)
        total_loss = total_loss + recipe.consistency * losses["consistency"]
        if progress >= recipe.warm_up:
            conditions = self._enlarge(inputs)
            output = self.critic_loss.run_critic(targets, fakes, conditions)
            yield self.critic_loss.critic_step(output, batch.step)
            losses |= self.critic_loss.generator_losses(fakes, conditions, output)
            losses["spread"] = self._spread(fakes)
            gan_loss = recipe.adversarial * losses["fool"] + recipe.feature_matching * losses["features"]
            missing_spread = F.relu(recipe.spread - losses["spread"])
            gan_loss = gan_loss + recipe.mode_seeking * missing_spread / recipe.spread
            total_loss = total_loss + gan_loss
        yield OptimiserStep("generator", total_loss, {name: loss.detach() for name, loss in losses.items()})
        self._keep_own_image(fakes, batch.step)

    def learning_rate_factor(self, progress: float) -> float:
        """Return the learning rate's factor: 3 in the warm-up, then 1, at last a tenth."""
        if progress < self.recipe.warm_up:
            return 3.0
        return 1.0 if progress < 0.8 else 1.0 - 0.9 * (progress - 0.8) / 0.2

    def sample_grid(self, networks: Mapping[str, Network]) -> Tensor:
        """Return sample rows: held-out thumbnails, generated images and the real ones."""
        network = networks["generator"]
        assert isinstance(network, UpImager)
        side = SAMPLE_THUMBNAIL_PX * network.config.scale
        count = min(MAX_SAMPLE_IMAGES, len(self.dataset.validation_images.pixels))
        inputs, targets = self.pair_maker.validation_batch(count, side, enlarge_inputs=False)
        generated = upscale_each(network, inputs, seed=1, device=str(self.context.device))
        enlarged_inputs = F.interpolate(inputs, size=targets.shape[-2:], mode="nearest")
        return make_grid([enlarged_inputs, generated, targets])

    def evaluate(self, networks: Mapping[str, Network]) -> Evaluation:
        network = networks["generator"]
        assert isinstance(network, UpImager)
        return evaluate_upimager(network, self.pair_maker, self.dataset, str(self.context.device))

    def extra_state(self) -> dict[str, Any]:
        """Return the model's own earlier images, for exact resuming."""
        return {"memory": self.own_images}

    def load_extra_state(self, state: Mapping[str, Any]) -> None:
        self.own_images = list(state["memory"])

    def _crop_size(self, progress: float) -> CropSizeTable:
        return next(size for size in reversed(self.recipe.sizes) if progress >= size.since)

    def _enlarge(self, inputs: Tensor) -> Tensor:
        """Enlarge thumbnails to the size of the targets, as the up-imager's critic sees them."""
        scale = self.generator.config.scale
        return F.interpolate(inputs, scale_factor=scale, mode="bicubic", align_corners=False)

    def _spread(self, fakes: Tensor) -> Tensor:
        """Return the mean difference of the images of the two noises; the loss asks for a minimum of it.

        It is measured at half size, so that grain alone does not count as another invention; except for a 2x,
        which has nothing but grain to invent, and which at half size equals its input.
        """
        factor = 2 if self.generator.config.scale > 2 else 1
        return (block_means(fakes[:1], factor) - block_means(fakes[1:2], factor)).abs().mean()

    def _replace_last_input(self, batch: UpImageBatch) -> int:
        """Now and then replace the last input by a crop of one of the model's own earlier images.

        Returns:
            The number of rows that have a target: a replaced input has none.
        """
        row_count, crop = len(batch.inputs), batch.inputs.shape[-1]
        large_images = [image for image in self.own_images if image.shape[-1] >= 2 * crop]
        rng = np.random.default_rng((self.seed, batch.step, self.context.process_index, 2))
        if large_images and rng.random() < self.recipe.second_pass * (row_count - 1):
            image = large_images[int(rng.integers(len(large_images)))]
            batch.inputs[-1] = _crop_at_half_size(image, crop, rng)
            return row_count - 1
        return row_count

    def _keep_own_image(self, fakes: Tensor, step: int) -> None:
        """Keep one of the generated images every few steps, for later second passes."""
        if step % OWN_IMAGE_EVERY_STEPS == 0:
            row = step // OWN_IMAGE_EVERY_STEPS % len(fakes)
            image = (fakes[row].detach().float().clamp(0, 1) * 255).round().byte().cpu()
            self.own_images = [*self.own_images[-(MAX_POOLED_OWN_IMAGES - 1) :], image]


def _crop_at_half_size(image: Tensor, crop: int, rng: np.random.Generator) -> Tensor:
    """Return a random crop of an own image, uint8, at half its size, as a recipe's next pass would see it."""
    half = F.avg_pool2d(image.float() / 255, 2)
    top, left = (int(rng.integers(half.shape[-1] - crop + 1)) for _ in range(2))
    return half[:, top : top + crop, left : left + crop]
