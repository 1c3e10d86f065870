"""The family ``pix2pix``: a generator learns from pairs, taught by a critic that sees both images.

Isola et al. 2017 (arXiv:1611.07004): U-Net or ResNet, a conditional PatchGAN on 70 px patches, cross-entropy
(or least squares) plus 100 L1, the critic's loss halved, Adam at 2e-4 with momentum 0.5, the rate falling to
0 over the second half. The critic is updated first, by the generated images that the generator is updated by
afterwards, so that one forward pass of the generator serves both.

Deviations: the weights that are exported are averaged (``average = 0`` exports the last ones). Pairs are
drawn for every step, there are no epochs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from artgen.imaging.inputs import add_texture_noise
from artgen.models.architectures.network import Network
from artgen.models.architectures.resnet import ResNet, ResNetConfig
from artgen.models.architectures.unet import UNet, UNetConfig
from artgen.seeds import torch_generator
from artgen.training.critics.adversarial import (
    adversarial_loss,
    create_adam,
    linear_decay,
)
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
from artgen.training.material.material import TrainingDataset
from artgen.training.pairs import build_pair_maker
from artgen.training.pairs.maker import Pair
from artgen.training.recipes.pix2pix import Pix2PixRecipe

MAX_SAMPLE_PAIRS, MAX_EVALUATION_PAIRS = 4, 8


class Pix2PixTraining(ModelFamily):
    """The networks, batches and losses by which pix2pix trains.

    Args:
        recipe: the recipe.
        dataset: the images.
        context: the folder, device and process.
    """

    def __init__(self, recipe: Pix2PixRecipe, dataset: TrainingDataset, context: TrainingContext) -> None:
        self.recipe, self.context = recipe, context
        self.seed, self.batch_size = recipe.seed, recipe.batch
        self.pair_maker = build_pair_maker(recipe.pairs, dataset)
        with seeded_weights(recipe.seed):
            self.generator = _build_generator(recipe, self.pair_maker.channels)
            critic_channels = self.pair_maker.channels + 3
            self.critic = PatchGAN(critic_channels, recipe.critic_width, recipe.critic_layers, recipe.norm)
        self.networks = {"generator": self.generator, "critic": self.critic}
        self.move_networks()
        self.optimisers = {
            name: create_adam([network], recipe.rate, recipe.beta1) for name, network in self.networks.items()
        }

    def draw_batch(self, step: int) -> Pair:
        """Return a training batch: inputs ``(B, C, crop, crop)``, targets ``(B, 3, crop, crop)``."""
        pairs = [self.pair_maker.draw_pair(self.recipe.crop, rng) for rng in self.row_generators(step)]
        inputs, targets = (torch.stack([pair[part] for pair in pairs]) for part in (0, 1))
        return self.pair_maker.enlarge(inputs, self.recipe.crop), targets

    def optimiser_steps(self, batch: Pair, progress: float) -> Iterator[OptimiserStep]:
        """Yield the loss of the critic, which tells targets and fakes apart, then that of the generator."""
        recipe = self.recipe
        inputs, targets = (self.move_batch(part) for part in batch)
        fakes = self.generator(inputs)

        self.critic.requires_grad_(True)
        fake_loss = adversarial_loss(self.critic(torch.cat([inputs, fakes.detach()], 1)), False, recipe.gan)
        real_loss = adversarial_loss(self.critic(torch.cat([inputs, targets], 1)), True, recipe.gan)
        yield OptimiserStep(
            "critic",
            (fake_loss + real_loss) / 2,
            {"made": fake_loss.detach(), "real": real_loss.detach()},
        )

        self.critic.requires_grad_(False)
        fool_loss = adversarial_loss(self.critic(torch.cat([inputs, fakes], 1)), True, recipe.gan)
        l1_loss = (fakes - targets).abs().mean() * 2  # the published scale is [-1, 1]
        yield OptimiserStep(
            "generator",
            fool_loss + recipe.l1 * l1_loss,
            {"fool": fool_loss.detach(), "l1": l1_loss.detach()},
        )

    def learning_rate_factor(self, progress: float) -> float:
        return linear_decay(progress, self.recipe.decay)

    def sample_grid(self, networks: Mapping[str, Network]) -> Tensor:
        """Return sample rows: held-out inputs, generated images and targets."""
        inputs, targets = self._validation_batch(MAX_SAMPLE_PAIRS)
        return make_grid([inputs.expand_as(targets), self._generate(networks, inputs), targets])

    def evaluate(self, networks: Mapping[str, Network]) -> Evaluation:
        """Compare generated images with their targets, by pixels and by statistics."""
        inputs, targets = self._validation_batch(MAX_EVALUATION_PAIRS)
        generated = self._generate(networks, inputs)
        metrics = [
            Metric("l1", "mean distance to the target", float((generated - targets).abs().mean())),
            Metric("l1_input", "the same of the input", float((inputs - targets).abs().mean())),
            *realism_metrics(generated, targets, inputs.expand_as(targets), "the input"),
        ]
        held_out = self.pair_maker.dataset.held_out
        return Evaluation(
            describe_test_set(len(targets), "pair", held_out, f"{self.recipe.crop} px"), metrics
        )

    def _validation_batch(self, max_count: int) -> Pair:
        """Return fixed pairs of validation images, with inputs of the targets' size."""
        count = min(max_count, len(self.pair_maker.dataset.validation_images.pixels))
        return self.pair_maker.validation_batch(count, self.recipe.crop, enlarge_inputs=True)

    def _generate(self, networks: Mapping[str, Network], inputs: Tensor) -> Tensor:
        """Generate images of inputs, to which the noise of the training's inputs is added."""
        table = self.recipe.pairs.model_dump()
        noisy_inputs = [
            add_texture_noise(row, table, torch_generator(index)) for index, row in enumerate(inputs)
        ]
        generator = networks["generator"]
        return torch.cat([generator(self.move_batch(row[None])).float().cpu() for row in noisy_inputs])


def _build_generator(recipe: Pix2PixRecipe, input_channels: int) -> Network:
    if recipe.generator == "resnet":
        return ResNet(
            ResNetConfig(
                width=recipe.width,
                blocks=recipe.blocks,
                inputs=input_channels,
                norm=recipe.norm,
                dropout=recipe.dropout,
                rise=recipe.rise,
            )
        )
    return UNet(
        UNetConfig(
            levels=recipe.levels,
            width=recipe.width,
            inputs=input_channels,
            norm=recipe.norm,
            dropout=recipe.dropout,
            rise=recipe.rise,
        )
    )
