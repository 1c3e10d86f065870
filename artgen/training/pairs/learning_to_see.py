"""The pair maker ``learning-to-see``: inputs are targets in grey, out of focus, in any light.

Akten, Fiebrink and Grierson 2019, "Learning to See: You Are What You See" (arXiv 2003.00902): the target is
scaled to 100 to 130 %, cut and flipped; then the input alone loses its colour, is reduced 24 times by area,
enlarged by cubic interpolation, and changed in brightness and contrast. Deviation: noise, if ``grain`` asks.
"""

from __future__ import annotations

import numpy as np

from artgen.imaging.inputs import prepare, speckled
from artgen.seeds import generator
from artgen.training.material.material import Material
from artgen.training.pairs.light import relit
from artgen.training.pairs.maker import Pair, PairMaker
from artgen.training.pairs.window import Window, draw_window
from artgen.training.recipes.pairs import LearningToSee


class LearningToSeePairs(PairMaker):
    """Pairs out of targets alone."""

    def __init__(self, table: LearningToSee, material: Material) -> None:
        super().__init__(material)
        self.table, self.channels = table, table.channels
        self.description = table.model_dump(mode="json")

    def random(self, side: int, chance: np.random.Generator) -> Pair:
        table = self.table
        pixels = self._drawn(chance)
        target = draw_window(table.scale, table.flips, chance).cut(pixels, side)
        brightness = chance.uniform(-table.brightness, table.brightness)
        contrast = 1 + chance.uniform(-table.contrast, table.contrast)
        shown = relit(prepare(target, self.description), brightness, contrast)
        return speckled(shown, self.description, generator(int(chance.integers(2**63)))), target

    def fixed(self, index: int, count: int, side: int) -> Pair:
        """The middle of an image, in its own light, without noise."""
        target = Window().cut(self._held(index, count), side)
        return prepare(target, self.description), target
