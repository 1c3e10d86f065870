"""The family ``cyclegan``: translates images of one domain into another and back, learned without pairs.

Zhu et al. 2017 (arXiv:1703.10593): a ResNet with instance norm in each direction, an unconditional PatchGAN
for each domain, least squares, weight 10 for the cycle loss, 5 for the identity loss, pools of 50 earlier
images for the critics, Adam at 2e-4 with momentum 0.5, the rate falling to 0 over the second half. The
generators are updated before the critics.

Deviations: the weights that are exported are averaged. A generator gets the image to translate and the one to
leave unchanged in one batch, which is the same under instance norm. The critics' pools hold 8-bit images.
Squares are cut before they are resized, so that no image is stretched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.models.architectures.network import Network
from artgen.models.architectures.resnet import ResNet, ResNetConfig
from artgen.training.critics.adversarial import (
    adversarial_loss,
    create_adam,
    linear_decay,
)
from artgen.training.critics.image_pool import ImagePool
from artgen.training.critics.patchgan import PatchGAN
from artgen.training.engine.family import (
    Evaluation,
    Metric,
    ModelFamily,
    OptimiserStep,
    TrainingContext,
    make_grid,
    seeded_weights,
)
from artgen.training.evaluation.metrics import describe_test_set, realism_metrics
from artgen.training.material.images import Pixels
from artgen.training.material.material import TrainingDataset
from artgen.training.material.squares import centre_square, random_square
from artgen.training.recipes.cyclegan import CycleGANRecipe

MAX_SAMPLE_IMAGES, MAX_EVALUATION_IMAGES = 4, 8  # of each domain


@dataclass
class CycleGANBatch:
    """Images of both domains for one training step.

    Attributes:
        step: the training step, from 0.
        first: images of the first domain, ``(B, 3, crop, crop)``.
        second: images of the second domain, of the same shape.
    """

    step: int
    first: Tensor
    second: Tensor


class CycleGANTraining(ModelFamily):
    """The networks, batches and losses by which CycleGAN trains.

    ``generators`` translate the first domain into the second, and back. Of the two ``critics``, the first
    judges images of the second domain, the other those of the first: what the generator at its index makes.

    Args:
        recipe: the recipe.
        dataset: images of the first domain in ``inputs``, of the second in ``images``.
        context: the folder, device and process.
    """

    export_suffixes: ClassVar[Mapping[str, str]] = {"there": "", "back": "-back"}
    network_descriptions: ClassVar[Mapping[str, str]] = {
        "back": "The way back: turns the kind of picture that the other model makes into the kind it takes."
    }

    def __init__(self, recipe: CycleGANRecipe, dataset: TrainingDataset, context: TrainingContext) -> None:
        assert dataset.inputs is not None
        assert dataset.validation_inputs is not None
        self.recipe, self.context = recipe, context
        self.seed, self.batch_size = recipe.seed, recipe.batch
        self.training_images = (dataset.inputs.pixels, dataset.images.pixels)
        self.validation_images = (dataset.validation_inputs.pixels, dataset.validation_images.pixels)
        self.held_out = dataset.held_out
        config = ResNetConfig(
            width=recipe.width,
            blocks=recipe.blocks,
            norm="instance",
            rise=recipe.rise,
            skips=recipe.skips,
        )
        with seeded_weights(recipe.seed):
            self.generators = ResNet(config), ResNet(config)
            self.critics = [
                PatchGAN(3, recipe.critic_width, recipe.critic_layers, "instance") for _ in range(2)
            ]
            self.networks = {
                "there": self.generators[0],
                "back": self.generators[1],
                "critic_there": self.critics[0],
                "critic_back": self.critics[1],
            }
        self.move_networks()
        self.optimisers = {
            "generators": create_adam([*self.generators], recipe.rate, recipe.beta1),
            "critics": create_adam([*self.critics], recipe.rate * recipe.critic_rate, recipe.beta1),
        }
        self.pools = [ImagePool(recipe.pool), ImagePool(recipe.pool)]

    def draw_batch(self, step: int) -> CycleGANBatch:
        rngs = list(self.row_generators(step))
        first, second = (
            torch.stack([self._draw_square(images, rng) for rng in rngs]) for images in self.training_images
        )
        return CycleGANBatch(step, first, second)

    def optimiser_steps(self, batch: CycleGANBatch, progress: float) -> Iterator[OptimiserStep]:
        """Yield the losses of both generators, then of both critics."""
        recipe = self.recipe
        to_second, to_first = self.generators
        first, second = self.move_batch(batch.first), self.move_batch(batch.second)
        for critic in self.critics:
            critic.requires_grad_(False)
        fake_second, unchanged_second = to_second(torch.cat([first, second])).chunk(2)
        fake_first, unchanged_first = to_first(torch.cat([second, first])).chunk(2)
        cycle_loss = F.l1_loss(to_first(fake_second), first) + F.l1_loss(to_second(fake_first), second)
        identity_loss = F.l1_loss(unchanged_second, second) + F.l1_loss(unchanged_first, first)
        fakes = [fake_second, fake_first]
        adversarial_losses = [
            adversarial_loss(critic(fake), True, recipe.gan)
            for critic, fake in zip(self.critics, fakes, strict=True)
        ]
        # L1 is doubled: the published scale is [-1, 1].
        total_loss = sum(adversarial_losses) + 2 * (recipe.cycle * cycle_loss + recipe.same * identity_loss)
        losses = {
            "fool_there": adversarial_losses[0],
            "fool_back": adversarial_losses[1],
            "cycle": cycle_loss,
            "same": identity_loss,
        }
        yield OptimiserStep("generators", total_loss, {name: loss.detach() for name, loss in losses.items()})

        rng = np.random.default_rng((self.seed, batch.step, self.context.process_index, 1))
        critic_losses = []
        for critic, pool, fake, real in zip(self.critics, self.pools, fakes, (second, first), strict=True):
            critic.requires_grad_(True)
            pooled_fake = pool.exchange(fake.detach().float(), rng)
            critic_losses.append(
                (
                    adversarial_loss(critic(pooled_fake), False, recipe.gan)
                    + adversarial_loss(critic(real), True, recipe.gan)
                )
                / 2
            )
        losses = {"critic_there": critic_losses[0], "critic_back": critic_losses[1]}
        yield OptimiserStep(
            "critics",
            critic_losses[0] + critic_losses[1],
            {name: loss.detach() for name, loss in losses.items()},
        )

    def learning_rate_factor(self, progress: float) -> float:
        return linear_decay(progress, self.recipe.decay)

    def sample_grid(self, networks: Mapping[str, Network]) -> Tensor:
        """Return sample rows: the first domain, its translation, the second and its translation."""
        first, second = self._validation_squares(MAX_SAMPLE_IMAGES)
        return make_grid(
            [
                first,
                self._translate(networks["there"], first),
                second,
                self._translate(networks["back"], second),
            ]
        )

    def evaluate(self, networks: Mapping[str, Network]) -> Evaluation:
        """Compare translations with real images, and images translated there and back with themselves."""
        first, second = self._validation_squares(MAX_EVALUATION_IMAGES)
        fake_second = self._translate(networks["there"], first)
        fake_first = self._translate(networks["back"], second)
        cycled_first = self._translate(networks["back"], fake_second)
        cycle_distance = float((cycled_first - first).abs().mean())
        metrics = [
            Metric("cycle", "mean distance after there and back", cycle_distance),
            *realism_metrics(fake_second, second, first, "the input"),
            *(
                Metric(f"{metric.name}_back", f"{metric.label}, backwards", metric.value, metric.format_spec)
                for metric in realism_metrics(fake_first, first, second, "the input")
            ),
        ]
        sizes = f"of each kind, {self.recipe.crop} px"
        return Evaluation(describe_test_set(len(first), "picture", self.held_out, sizes), metrics)

    def extra_state(self) -> dict[str, Any]:
        """Return the images in the critics' pools."""
        return {"pools": [[image.cpu() for image in pool.images] for pool in self.pools]}

    def load_extra_state(self, state: Mapping[str, Any]) -> None:
        for pool, images in zip(self.pools, state["pools"], strict=True):
            pool.images = [image.to(self.context.device) for image in images]

    def _draw_square(self, images: Sequence[Pixels], rng: np.random.Generator) -> Tensor:
        """Draw a random square ``(3, crop, crop)`` of a random image, flipped in half the cases."""
        pixels = images[int(rng.integers(len(images)))]
        square = random_square(pixels, self.recipe.crop, self.recipe.cut, rng)
        return square.flip(2) if rng.random() < 0.5 else square

    def _validation_squares(self, max_count: int) -> list[Tensor]:
        """Return centre squares of validation images: the same number of each domain."""
        count = min(max_count, *map(len, self.validation_images))
        return [
            torch.stack(
                [centre_square(images[i * len(images) // count], self.recipe.crop) for i in range(count)]
            )
            for images in self.validation_images
        ]

    def _translate(self, generator: Network, images: Tensor) -> Tensor:
        return torch.cat([generator(self.move_batch(image[None])).float().cpu() for image in images])
