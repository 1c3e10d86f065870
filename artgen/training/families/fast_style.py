"""The family ``fast-style``: one network that paints in one or several styles.

What the two ways of teaching it share: the network of Johnson et al. 2016 with conditional instance norm
(Dumoulin et al. 2017), contents cut at random from the images, a style at random for each row, samples.
``distilled.py`` teaches it by pictures that patch EM painted, ``perceptual_loss.py`` by VGG's eyes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from artgen.models.architectures.faststyle import FastStyle, FastStyleConfig
from artgen.models.architectures.network import Network
from artgen.steps.style import Style as StyleStep
from artgen.style import library
from artgen.training.critics.adversarial import adam, layout
from artgen.training.engine.family import Family, Place, grid, initialised
from artgen.training.families.distill import Painting
from artgen.training.material.images import Pixels
from artgen.training.material.material import Material
from artgen.training.material.squares import centre_square, random_square
from artgen.training.recipes.fast_style import FastStyleRecipe

SAMPLES = 4
SHOWN = 4  # styles in a grid of samples


class FastStyleTraining(Family):
    """The generator, its paintings and contents; a subclass adds the losses.

    Raises:
        ArtgenError: a painting cannot be read.
    """

    def __init__(self, recipe: FastStyleRecipe, material: Material, place: Place) -> None:
        self.recipe, self.place, self.material = recipe, place, material
        self.seed, self.batch = recipe.seed, recipe.batch
        self.paintings = [
            Painting(name, library.resolve(reference, place.beside))
            for name, reference in zip(recipe.names(), recipe.styles, strict=True)
        ]
        # Another version of patch EM paints other pairs.
        self.fingerprint = f"{StyleStep.version} " + "".join(painting.digest for painting in self.paintings)
        config = FastStyleConfig(width=recipe.width, blocks=recipe.blocks, styles=len(self.paintings))
        with initialised(recipe.seed):
            self.generator = FastStyle(config)
        self.generator.to(device=place.device, memory_format=layout(place.device))  # type: ignore[call-overload]
        self.networks = {"generator": self.generator}
        self.optimisers = {"generator": adam([self.generator], recipe.rate, 0.5)}

    def rate(self, done: float) -> float:
        """Flat, then falling to a tenth over the second half."""
        return 1.0 if done < 0.5 else 1.0 - 0.9 * (done - 0.5) / 0.5

    def preview(self, networks: Mapping[str, Network]) -> Tensor:
        """Rows: contents, then what the model makes of them in each style."""
        contents = self._held_out(SAMPLES, self.recipe.crop_side())
        styles = range(min(SHOWN, len(self.paintings)))
        return grid([contents, *(self._painted(networks, contents, style) for style in styles)])

    def _content(self, images: Sequence[Pixels], side: int, chance: np.random.Generator) -> Tensor:
        """A square ``(3, side, side)`` by chance, from full size to as much as fits; flipped or not."""
        pixels = images[int(chance.integers(len(images)))]
        square = random_square(pixels, side, min(1.0, side / min(pixels.shape[:2])), chance)
        return square.flip(2) if chance.random() < 0.5 else square

    def _held_out(self, count: int, side: int) -> Tensor:
        """The middles of ``count`` validation images: ``(count, 3, side, side)``."""
        return torch.stack([self._middle(i, count, side) for i in range(count)])

    def _middle(self, index: int, count: int, side: int) -> Tensor:
        images = self.material.validation.pixels
        return centre_square(images[index * len(images) // count], side)

    def _painted(self, networks: Mapping[str, Network], contents: Tensor, style: int) -> Tensor:
        network = networks["generator"]
        assert isinstance(network, FastStyle)
        weights = network.style(style).to(self.place.device)
        painted = [network(self._move(content[None]), weights).float().cpu() for content in contents]
        return torch.cat(painted)

    def _move(self, batch: Tensor) -> Tensor:
        if batch.ndim != 4:
            return batch.to(self.place.device)
        return batch.to(device=self.place.device, memory_format=layout(self.place.device))
