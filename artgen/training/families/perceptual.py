"""The family ``fast-style`` with a perceptual loss: VGG's features of the content and of the painting.

Johnson et al. 2016 (arXiv:1603.08155). Contents are squares of the images; no pairs are made. Deviations: for
those of the losses see ``perceptual_loss.py``; total variation is of absolute differences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.hashing import file_hash
from artgen.imaging.image import resize_longer_side
from artgen.models.architectures.network import Network
from artgen.models.features.vgg import load_vgg
from artgen.models.features.weight_files import find_weights_file
from artgen.training.engine.family import Evaluation, Metric, OptimiserStep, TrainingContext
from artgen.training.families.fast_style import MAX_SAMPLE_CONTENTS, FastStyleTraining
from artgen.training.families.perceptual_loss import PerceptualLoss, total_variation
from artgen.training.material.material import TrainingDataset
from artgen.training.recipes.fast_style import FastStyleRecipe


@dataclass
class PerceptualBatch:
    """Contents and styles for one training step.

    Attributes:
        contents: ``(B, 3, crop, crop)`` in [0, 1].
        styles: index of each row's style, ``(B,)``.
    """

    contents: Tensor
    styles: Tensor


class PerceptualTraining(FastStyleTraining):
    """The network and losses of a ``fast-style`` training with a perceptual loss.

    Args:
        recipe: the recipe.
        dataset: images that contents are cut from.
        context: the folder, device and process.

    Raises:
        ArtgenError: the weights are not installed, or not VGG's.
    """

    def __init__(self, recipe: FastStyleRecipe, dataset: TrainingDataset, context: TrainingContext) -> None:
        super().__init__(recipe, dataset, context)
        self.table = recipe.perceptual
        assert recipe.weights is not None
        file = find_weights_file(recipe.weights, context.recipe_folder)
        vgg = load_vgg(file, self.table.preprocessing)
        self.fingerprint += file_hash(file)
        paintings = [
            resize_longer_side(painting.image, self.table.side).to(context.device)
            for painting in self.paintings
        ]
        self.perceptual_loss = PerceptualLoss(vgg.to(context.device), paintings)

    def draw_batch(self, step: int) -> PerceptualBatch:
        contents, styles = [], []
        for rng in self.row_generators(step):
            styles.append(int(rng.integers(len(self.paintings))))
            contents.append(self._draw_content(self.dataset.images.pixels, self.recipe.crop, rng))
        return PerceptualBatch(torch.stack(contents), torch.tensor(styles))

    def optimiser_steps(self, batch: PerceptualBatch, progress: float) -> Iterator[OptimiserStep]:
        """Yield the generator's loss of one perceptual training step."""
        contents, styles = self.move_batch(batch.contents), self.move_batch(batch.styles)
        generated = self.generator(contents, F.one_hot(styles, len(self.paintings)).float())
        content, style = self.perceptual_loss.distances(generated, contents, styles)
        smoothness = total_variation(generated)
        table = self.table
        total_loss = table.content * content + table.style * style + table.smoothness * smoothness
        losses = {"content": content, "style": style, "smoothness": smoothness}
        yield OptimiserStep("generator", total_loss, {name: loss.detach() for name, loss in losses.items()})

    def evaluate(self, networks: Mapping[str, Network]) -> Evaluation:
        """Measure the model's paintings: distances to held-out contents and to style paintings."""
        contents = self._validation_contents(MAX_SAMPLE_CONTENTS, self.recipe.crop)
        style_distances = []
        for style in range(len(self.paintings)):
            generated = self.move_batch(self._paint(networks, contents, style))
            moved_contents = self.move_batch(contents)
            styles = self.move_batch(torch.full((MAX_SAMPLE_CONTENTS,), style))
            unpainted_style = self.perceptual_loss.distances(moved_contents, moved_contents, styles)[1]
            distances = self.perceptual_loss.distances(generated, moved_contents, styles)
            style_distances.append(torch.stack([*distances, unpainted_style]))
        content_mean, style_mean, unpainted_mean = torch.stack(style_distances).mean(0).tolist()
        metrics = [
            Metric("content", "distance to the content's VGG features, relative", content_mean),
            Metric("style", "distance to the painting's textures, relative", style_mean),
            Metric("style_content", "the same of the unpainted content", unpainted_mean),
        ]
        images = self._describe_validation_images()
        return Evaluation(f"{MAX_SAMPLE_CONTENTS} {images} of {self.recipe.crop} px", metrics)
