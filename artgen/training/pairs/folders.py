"""The pair maker ``folders``: inputs are given, each named as its target."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import luminance
from artgen.training.material.images import ImageSet, Pixels
from artgen.training.material.matching import COMMAND, listed
from artgen.training.material.material import Material
from artgen.training.pairs.maker import Pair, PairMaker
from artgen.training.pairs.window import Window, draw_window
from artgen.training.recipes.pairs import Folders

# Proportions of an input and its target may differ by this share: rounding, not another picture.
TOLERANCE = 0.03


class FolderPairs(PairMaker):
    """Pairs of two folders, cut and flipped alike.

    Raises:
        ArtgenError: an input has other proportions than its target; nothing is left out silently.
    """

    def __init__(self, table: Folders, material: Material) -> None:
        super().__init__(material)
        self.table, self.channels = table, table.channels
        assert material.inputs is not None
        assert material.validation_inputs is not None
        self.training = _pairs(material.images, material.inputs)
        self.held_out = _pairs(material.validation, material.validation_inputs)

    def random(self, side: int, chance: np.random.Generator) -> Pair:
        pair = self.training[int(chance.integers(len(self.training)))]
        return self._cut(pair, draw_window(self.table.scale, self.table.flips, chance), side)

    def fixed(self, index: int, count: int, side: int) -> Pair:
        """The middle of a held-out pair."""
        return self._cut(self.held_out[index * len(self.held_out) // count], Window(), side)

    def _cut(self, pair: tuple[Pixels, Pixels], window: Window, side: int) -> Pair:
        given, target = (window.cut(pixels, side) for pixels in pair)
        return self._seen(given), target

    def _seen(self, image: Tensor) -> Tensor:
        return luminance(image) if self.table.grey else image


def _pairs(targets: ImageSet, inputs: ImageSet) -> list[tuple[Pixels, Pixels]]:
    pairs = list(zip(inputs.pixels, targets.pixels, strict=True))
    bent = [file.stem for file, pair in zip(targets.files, pairs, strict=True) if not _alike(*pair)]
    if bent:
        found = "; ".join(listed("of other proportions than its target", bent))
        raise ArtgenError("pairs", found, "input and target of the same scene and cut", COMMAND)
    return pairs


def _alike(a: Pixels, b: Pixels) -> bool:
    return bool(abs(a.shape[0] * b.shape[1] / (a.shape[1] * b.shape[0]) - 1) <= TOLERANCE)
