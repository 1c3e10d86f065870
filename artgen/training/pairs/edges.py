"""The pair maker ``edges``: inputs are outlines of the targets, dense or sparse, in thin or thick lines."""

from __future__ import annotations

import numpy as np

from artgen.imaging.inputs import draw_outlines, prepare_input
from artgen.training.material.material import TrainingDataset
from artgen.training.pairs.maker import Pair, PairMaker, draw_from_range
from artgen.training.pairs.window import CropWindow, draw_crop_window
from artgen.training.recipes.pairs import EdgesTable


class EdgesPairMaker(PairMaker):
    """Draws the outlines of targets; the blur before, and the width of the lines, are random."""

    channels = 1

    def __init__(self, table: EdgesTable, dataset: TrainingDataset) -> None:
        super().__init__(dataset)
        self.table = table
        self.inputs_table = table.model_dump(mode="json")

    def draw_pair(self, side: int, rng: np.random.Generator) -> Pair:
        table = self.table
        pixels = self._draw_pixels(rng)
        target = draw_crop_window(table.scale, table.flips, rng).crop(pixels, side)
        sigma, thickness = draw_from_range(table.sigma, rng), draw_from_range(table.thickness, rng)
        return draw_outlines(target, sigma, thickness, table.detail), target

    def fixed_pair(self, index: int, count: int, side: int) -> Pair:
        """Return a validation pair: the centre of an image, its outlines of medium blur and width."""
        target = CropWindow().crop(self._validation_pixels(index, count), side)
        return prepare_input(target, self.inputs_table), target
