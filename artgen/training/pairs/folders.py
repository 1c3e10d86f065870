"""The pair maker ``folders``: inputs are the images of a second folder, of the same names as the targets."""

from __future__ import annotations

import numpy as np

from artgen.errors import ArtgenError
from artgen.imaging.image import luminance
from artgen.training.material.images import ImageSet, Pixels
from artgen.training.material.matching import PAIRS_COMMAND, describe_names
from artgen.training.material.material import TrainingDataset
from artgen.training.pairs.maker import Pair, PairMaker
from artgen.training.pairs.window import CropWindow, draw_crop_window
from artgen.training.recipes.pairs import FoldersTable

# Share by which the proportions of an input and its target may differ: rounding, not another picture.
MAX_PAIR_ASPECT_DIFFERENCE = 0.03


class FoldersPairMaker(PairMaker):
    """Crops and flips the images of two folders in the same way, for training pairs.

    Raises:
        ArtgenError: an input has other proportions than its target.
    """

    def __init__(self, table: FoldersTable, dataset: TrainingDataset) -> None:
        super().__init__(dataset)
        self.table, self.channels = table, table.channels
        assert dataset.inputs is not None
        assert dataset.validation_inputs is not None
        self.training_pairs = _zip_pixels(dataset.images, dataset.inputs)
        self.validation_pairs = _zip_pixels(dataset.validation_images, dataset.validation_inputs)

    def draw_pair(self, side: int, rng: np.random.Generator) -> Pair:
        pair = self.training_pairs[int(rng.integers(len(self.training_pairs)))]
        return self._crop(pair, draw_crop_window(self.table.scale, self.table.flips, rng), side)

    def fixed_pair(self, index: int, count: int, side: int) -> Pair:
        """Return the centre of a held-out training pair."""
        pair = self.validation_pairs[index * len(self.validation_pairs) // count]
        return self._crop(pair, CropWindow(), side)

    def _crop(self, pair: tuple[Pixels, Pixels], window: CropWindow, side: int) -> Pair:
        image, target = (window.crop(pixels, side) for pixels in pair)
        return luminance(image) if self.table.grey else image, target


def _zip_pixels(targets: ImageSet, inputs: ImageSet) -> list[tuple[Pixels, Pixels]]:
    """Return the pixels of each training input with those of its target.

    Raises:
        ArtgenError: an input has other proportions than its target.
    """
    pairs = list(zip(inputs.pixels, targets.pixels, strict=True))
    mismatches = [
        file.stem for file, pair in zip(targets.files, pairs, strict=True) if not _have_same_aspect(*pair)
    ]
    if mismatches:
        problem = "; ".join(describe_names("of other proportions than its target", mismatches))
        raise ArtgenError("pairs", problem, "input and target of the same scene and crop", PAIRS_COMMAND)
    return pairs


def _have_same_aspect(a: Pixels, b: Pixels) -> bool:
    return bool(abs(a.shape[0] * b.shape[1] / (a.shape[1] * b.shape[0]) - 1) <= MAX_PAIR_ASPECT_DIFFERENCE)
