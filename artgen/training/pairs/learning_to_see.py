"""The pair maker ``learning-to-see``: inputs are the targets in grey, out of focus, in another light.

Akten, Fiebrink and Grierson 2019, "Learning to See: You Are What You See" (arXiv 2003.00902): the target is
scaled to 100 to 130 %, cropped and flipped; then the input alone loses its colour, is reduced 24 times by
area, enlarged by cubic interpolation, and changed in brightness and contrast. Deviation: noise, if ``grain``
is above 0.
"""

from __future__ import annotations

import numpy as np

from artgen.imaging.inputs import add_texture_noise, prepare_input
from artgen.seeds import torch_generator
from artgen.training.material.material import TrainingDataset
from artgen.training.pairs.light import adjust_light
from artgen.training.pairs.maker import Pair, PairMaker
from artgen.training.pairs.window import CropWindow, draw_crop_window
from artgen.training.recipes.pairs import LearningToSeeTable


class LearningToSeePairMaker(PairMaker):
    """Makes training inputs of targets: grey, blurred, in random brightness and contrast."""

    def __init__(self, table: LearningToSeeTable, dataset: TrainingDataset) -> None:
        super().__init__(dataset)
        self.table, self.channels = table, table.channels
        self.inputs_table = table.model_dump(mode="json")

    def draw_pair(self, side: int, rng: np.random.Generator) -> Pair:
        table = self.table
        pixels = self._draw_pixels(rng)
        target = draw_crop_window(table.scale, table.flips, rng).crop(pixels, side)
        brightness = rng.uniform(-table.brightness, table.brightness)
        contrast = 1 + rng.uniform(-table.contrast, table.contrast)
        image = adjust_light(prepare_input(target, self.inputs_table), brightness, contrast)
        noise_generator = torch_generator(int(rng.integers(2**63)))
        return add_texture_noise(image, self.inputs_table, noise_generator), target

    def fixed_pair(self, index: int, count: int, side: int) -> Pair:
        """Return a validation pair: the centre of an image, brightness unchanged, no noise."""
        target = CropWindow().crop(self._validation_pixels(index, count), side)
        return prepare_input(target, self.inputs_table), target
