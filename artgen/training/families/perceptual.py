"""``fast-style`` by a perceptual loss, as published: VGG sees the content, and the painting's textures.

Johnson et al. 2016 (arXiv:1603.08155). Contents are squares of the images; no pairs are made. Deviations: see
``training/families/perceptual_loss.py`` for the losses; total variation is of absolute differences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.hashing import file_hash
from artgen.imaging.image import fit
from artgen.models.architectures.network import Network
from artgen.models.features.vgg import load_vgg
from artgen.models.features.weight_files import find_weights
from artgen.training.engine.family import Figure, Measured, Place, Turn
from artgen.training.families.fast_style import SAMPLES, FastStyleTraining
from artgen.training.families.perceptual_loss import Perception, roughness
from artgen.training.material.material import Material
from artgen.training.recipes.fast_style import FastStyleRecipe


@dataclass
class Batch:
    """Contents ``(B, 3, crop, crop)`` and the number of each row's style ``(B,)``."""

    contents: Tensor
    styles: Tensor


class PerceptualTraining(FastStyleTraining):
    """The generator, taught by fixed features.

    Raises:
        ArtgenError: the weights are not here, or not VGG's.
    """

    def __init__(self, recipe: FastStyleRecipe, material: Material, place: Place) -> None:
        super().__init__(recipe, material, place)
        self.table = recipe.perceptual
        assert recipe.weights is not None
        file = find_weights(recipe.weights, place.beside)
        vgg = load_vgg(file, self.table.preprocessing)
        self.fingerprint += file_hash(file)
        paintings = [fit(painting.picture, self.table.side).to(place.device) for painting in self.paintings]
        self.perception = Perception(vgg.to(place.device), paintings)

    def draw(self, number: int) -> Batch:
        contents, styles = [], []
        for chance in self.rows(number):
            styles.append(int(chance.integers(len(self.paintings))))
            contents.append(self._content(self.material.images.pixels, self.recipe.crop, chance))
        return Batch(torch.stack(contents), torch.tensor(styles))

    def turns(self, batch: Batch, done: float) -> Iterator[Turn]:
        contents, styles = self._move(batch.contents), self._move(batch.styles)
        made = self.generator(contents, F.one_hot(styles, len(self.paintings)).float())
        content, style = self.perception.distances(made, contents, styles)
        smoothness = roughness(made)
        table = self.table
        total = table.content * content + table.style * style + table.smoothness * smoothness
        shown = {"content": content, "style": style, "smoothness": smoothness}
        yield Turn("generator", total, {name: loss.detach() for name, loss in shown.items()})

    def measure(self, networks: Mapping[str, Network]) -> Measured:
        """What VGG sees of content and paintings, on contents it never saw."""
        contents = self._held_out(SAMPLES, self.recipe.crop)
        seen = []
        for style in range(len(self.paintings)):
            made, numbers = self._painted(networks, contents, style), torch.full((SAMPLES,), style)
            pictures = (self._move(made), self._move(contents), self._move(numbers))
            plain = self.perception.distances(pictures[1], pictures[1], pictures[2])[1]
            seen.append(torch.stack([*self.perception.distances(*pictures), plain]))
        content, style_, plain = torch.stack(seen).mean(0).tolist()
        figures = [
            Figure("content", "distance to the content in VGG's eyes, relative", content),
            Figure("style", "distance to the painting's textures, relative", style_),
            Figure("style_content", "the same of the unpainted content", plain),
        ]
        kind = "pictures it never saw" if self.material.held_out else "pictures it was trained on"
        return Measured(f"{SAMPLES} {kind} of {self.recipe.crop} px", figures)
