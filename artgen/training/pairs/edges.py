"""The pair maker ``edges``: inputs are the outlines of targets, by drawing hands that differ."""

from __future__ import annotations

import numpy as np

from artgen.imaging.inputs import outlines, prepare
from artgen.training.material.material import Material
from artgen.training.pairs.maker import Pair, PairMaker, between
from artgen.training.pairs.window import Window, draw_window
from artgen.training.recipes.pairs import Edges


class EdgesPairs(PairMaker):
    """Pairs out of targets alone; how far the image is blurred first and the pen's width vary."""

    channels = 1

    def __init__(self, table: Edges, material: Material) -> None:
        super().__init__(material)
        self.table = table
        self.description = table.model_dump(mode="json")

    def random(self, side: int, chance: np.random.Generator) -> Pair:
        table = self.table
        pixels = self._drawn(chance)
        target = draw_window(table.scale, table.flips, chance).cut(pixels, side)
        sigma, thickness = between(table.sigma, chance), between(table.thickness, chance)
        return outlines(target, sigma, thickness, table.detail), target

    def fixed(self, index: int, count: int, side: int) -> Pair:
        """The middle of an image, drawn by the hand between the extremes."""
        target = Window().cut(self._held(index, count), side)
        return prepare(target, self.description), target
