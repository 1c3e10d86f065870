"""The family ``fast-style``: one network that paints in one or several styles.

Its two variants share the network of Johnson et al. 2016 with conditional instance norm (Dumoulin et al.
2017), contents cut at random from the images, a random style for each row, and samples. ``distilled.py``
trains it on pictures that patch EM painted, ``perceptual.py`` by a loss on VGG's features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from artgen.models.architectures.faststyle import FastStyleNet, FastStyleNetConfig
from artgen.models.architectures.network import Network
from artgen.steps.style import StyleStep
from artgen.style import library
from artgen.training.critics.adversarial import create_adam
from artgen.training.engine.family import ModelFamily, TrainingContext, make_grid, seeded_weights
from artgen.training.families.distill import StylePainting
from artgen.training.material.images import Pixels
from artgen.training.material.material import TrainingDataset
from artgen.training.material.squares import centre_square, random_square
from artgen.training.recipes.fast_style import FastStyleRecipe

MAX_SAMPLE_CONTENTS = 4
MAX_SAMPLE_STYLES = 4


class FastStyleTraining(ModelFamily):
    """The style network, paintings and contents of a ``fast-style`` training; subclasses add losses.

    Args:
        recipe: the recipe.
        dataset: images that contents are cut from.
        context: the folder, device and process.

    Raises:
        ArtgenError: a painting cannot be read.
    """

    def __init__(self, recipe: FastStyleRecipe, dataset: TrainingDataset, context: TrainingContext) -> None:
        self.recipe, self.context, self.dataset = recipe, context, dataset
        self.seed, self.batch_size = recipe.seed, recipe.batch
        self.paintings = [
            StylePainting(name, library.resolve_style_path(reference, context.recipe_folder))
            for name, reference in zip(recipe.style_names(), recipe.styles, strict=True)
        ]
        # Another version of patch EM paints other pairs.
        self.fingerprint = f"{StyleStep.version} " + "".join(painting.digest for painting in self.paintings)
        config = FastStyleNetConfig(width=recipe.width, blocks=recipe.blocks, styles=len(self.paintings))
        with seeded_weights(recipe.seed):
            self.generator = FastStyleNet(config)
        self.networks = {"generator": self.generator}
        self.move_networks()
        self.optimisers = {"generator": create_adam([self.generator], recipe.rate, 0.5)}

    def learning_rate_factor(self, progress: float) -> float:
        """Return the learning rate's factor: 1 in the first half, then falling to a tenth."""
        return 1.0 if progress < 0.5 else 1.0 - 0.9 * (progress - 0.5) / 0.5

    def sample_grid(self, networks: Mapping[str, Network]) -> Tensor:
        """Return sample rows: held-out contents, then the network's paintings in each style."""
        contents = self._validation_contents(MAX_SAMPLE_CONTENTS, self.recipe.max_crop_side())
        styles = range(min(MAX_SAMPLE_STYLES, len(self.paintings)))
        return make_grid([contents, *(self._paint(networks, contents, style) for style in styles)])

    def _draw_content(self, images: Sequence[Pixels], side: int, rng: np.random.Generator) -> Tensor:
        """Draw a training content: a random square ``(3, side, side)`` of a random image."""
        pixels = images[int(rng.integers(len(images)))]
        square = random_square(pixels, side, min(1.0, side / min(pixels.shape[:2])), rng)
        return square.flip(2) if rng.random() < 0.5 else square

    def _validation_contents(self, count: int, side: int) -> Tensor:
        """Return centre squares of ``count`` validation images, ``(count, 3, side, side)``."""
        return torch.stack([self._validation_content(index, count, side) for index in range(count)])

    def _validation_content(self, index: int, count: int, side: int) -> Tensor:
        """Return the centre square of one of ``count`` validation images that are spread over all."""
        images = self.dataset.validation_images.pixels
        return centre_square(images[index * len(images) // count], side)

    def _describe_validation_images(self) -> str:
        """Return what the validation images are, for the model card."""
        return "pictures it never saw" if self.dataset.held_out else "pictures it was trained on"

    def _paint(self, networks: Mapping[str, Network], contents: Tensor, style: int) -> Tensor:
        """Paint contents ``(B, 3, H, W)`` in one style by the averaged generator, on the CPU."""
        network = networks["generator"]
        assert isinstance(network, FastStyleNet)
        weights = network.style_weights(style).to(self.context.device)
        images = [network(self.move_batch(content[None]), weights).float().cpu() for content in contents]
        return torch.cat(images)
