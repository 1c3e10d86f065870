"""The base class of families that generate images from latents: batches, sample grids and metrics."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from artgen.imaging.variety import diversity, novelty
from artgen.models.architectures.latent import LatentGenerator
from artgen.models.architectures.network import Network
from artgen.training.critics.diffaugment import draw_diffaugment_values
from artgen.training.engine.family import (
    Evaluation,
    Metric,
    ModelFamily,
    TrainingContext,
    make_grid,
    seeded_weights,
)
from artgen.training.evaluation.metrics import realism_metrics
from artgen.training.material.images import Pixels
from artgen.training.material.material import TrainingDataset
from artgen.training.material.squares import centre_square, random_square
from artgen.training.recipes.dcgan import LatentRecipe

SAMPLE_GRID_ROWS, SAMPLE_GRID_COLUMNS = 4, 7  # nearly 16:9, the format of the progress video
BATCH_STATISTICS_LATENTS = 256  # latents that a network's batch statistics are measured with
MAX_EVALUATION_IMAGES = 128
MAX_NOVELTY_IMAGES = 1024  # training images among which copies are looked for
GENERATED_IMAGES_PER_BATCH = 16  # images
# Uses of the augmentations: real and generated images, in the critic's and in the generator's update.
AUGMENTATIONS_PER_IMAGE = 4


@dataclass(frozen=True)
class LatentBatch:
    """Images, latents and DiffAugment values of one GAN training step, on the CPU.

    Attributes:
        step: the training step, from 0.
        real: ``(B, 3, S, S)`` squares in [0, 1].
        latents: ``(B, latent)``.
        augmentations: ``(B, 4, 7)`` values of ``augment``: for real and generated images in the critic's
            update, then for both in the generator's.
    """

    step: int
    real: Tensor
    latents: Tensor
    augmentations: Tensor


class LatentTraining(ModelFamily):
    """A generator from latents and its critic in training; ``build_networks`` creates both.

    Args:
        recipe: recipe of either family.
        dataset: the images.
        context: the folder, device and process.
    """

    memory_format = torch.channels_last
    augmentation_share: float = 0.0
    """Probability of each augmentation of an image before the critic sees it, 0 to 1."""

    def __init__(self, recipe: LatentRecipe, dataset: TrainingDataset, context: TrainingContext) -> None:
        self.latent_recipe, self.context = recipe, context
        self.seed, self.batch_size = recipe.seed, recipe.batch
        self.images = dataset.images.pixels
        with seeded_weights(recipe.seed):
            self.generator, self.critic = self.build_networks()
        self.networks = {"generator": self.generator, "critic": self.critic}
        self.move_networks()

    def create_optimisers(self, learning_rate: float, betas: tuple[float, float]) -> None:
        """Create one Adam optimiser for each of the GAN's networks, as ``optimisers``."""
        self.optimisers = {
            name: torch.optim.Adam(network.parameters(), learning_rate, betas)
            for name, network in self.networks.items()
        }

    @abstractmethod
    def build_networks(self) -> tuple[LatentGenerator, nn.Module]:
        """Create the GAN's generator and critic with their initial weights."""

    def draw_batch(self, step: int) -> LatentBatch:
        real, latents, augmentations = [], [], []
        for rng in self.row_generators(step):
            real.append(self._cut_square(self.images[int(rng.integers(len(self.images)))], rng))
            latents.append(torch.from_numpy(rng.standard_normal(self.latent_recipe.latent, np.float32)))
            augmentations.append(
                draw_diffaugment_values(rng, AUGMENTATIONS_PER_IMAGE, self.augmentation_share)
            )
        return LatentBatch(step, torch.stack(real), torch.stack(latents), torch.stack(augmentations))

    def sample_grid(self, networks: Mapping[str, Network]) -> Tensor:
        """Return a grid of the generator's images of 28 fixed latents."""
        images = self._generate(networks, SAMPLE_GRID_ROWS * SAMPLE_GRID_COLUMNS)
        return make_grid(list(images.split(SAMPLE_GRID_COLUMNS)))

    def evaluate(self, networks: Mapping[str, Network]) -> Evaluation:
        """Compare generated images with training images: held-out ones are no targets of a GAN."""
        count = min(MAX_EVALUATION_IMAGES, len(self.images))
        training_squares = self._training_squares(min(MAX_NOVELTY_IMAGES, len(self.images)))
        real = training_squares[np.linspace(0, len(training_squares) - 1, count).round()]
        generated = self._generate(networks, count)
        mean_colours = real.mean((2, 3), keepdim=True).expand_as(real)
        metrics = [
            *realism_metrics(generated, real, mean_colours, "the flat mean colour"),
            Metric(
                "diversity", "mean difference of two pictures over real ones'", diversity(generated, real)
            ),
            Metric(
                "novelty",
                "distance to the nearest learned picture over theirs",
                novelty(generated, training_squares),
            ),
        ]
        size = self.latent_recipe.size
        return Evaluation(f"{count} pictures of {size} px against {count} it was trained on", metrics)

    def _cut_square(self, pixels: Pixels, rng: np.random.Generator) -> Tensor:
        """Cut a training square ``(3, S, S)`` out of an image, as the recipe says, flipped at random."""
        recipe = self.latent_recipe
        if recipe.crop == "centre":
            square = centre_square(pixels, recipe.size)
        else:
            square = random_square(pixels, recipe.size, recipe.smallest, rng)
        return square.flip(2) if rng.random() < 0.5 and recipe.flip else square

    def _training_squares(self, count: int) -> Tensor:
        """Return squares of ``count`` training images spread over all, the same every time."""
        indices = np.linspace(0, len(self.images) - 1, count).round().astype(int)
        return torch.stack(
            [
                self._cut_square(self.images[index], np.random.default_rng((self.seed, int(index))))
                for index in indices
            ]
        )

    @torch.inference_mode()
    def _generate(self, networks: Mapping[str, Network], count: int) -> Tensor:
        """Generate images ``(count, 3, S, S)`` of the first latents of a fixed stream, on the CPU."""
        network = networks["generator"]
        assert isinstance(network, LatentGenerator)
        rng = torch.Generator().manual_seed(self.seed)
        latent_count = max(count, BATCH_STATISTICS_LATENTS)
        latents = torch.randn((latent_count, self.latent_recipe.latent), generator=rng)
        latents = latents.to(self.context.device)
        network.fix_batch_statistics(latents[:BATCH_STATISTICS_LATENTS])
        images = [network(part).float().cpu() for part in latents[:count].split(GENERATED_IMAGES_PER_BATCH)]
        return torch.cat(images).clamp(0, 1)
