"""The pair maker ``blend``: inputs are blended thumbnails of aligned faces, the target is one whole face.

What teaches a network to make *one* face out of a blend? Restoring the face that dominates, if the others are
other people's, teaches what belongs together in a face, but also to remove the others. So in a share of the
pairs the other face is the same picture, shifted a little and in another light: then only what reveals the
blend (seams, double contours, two lights) must be removed, and the features of both are kept. Shiohara and
Yamasaki 2022, "Detecting Deepfakes with Self-Blended Images", make such blends to detect forgeries; here the
network learns to repair them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from artgen.imaging.inputs import reduced_size, resize_by_area
from artgen.imaging.masks import blend_by_masks, draw_masks
from artgen.training.material.images import Pixels
from artgen.training.material.material import TrainingDataset
from artgen.training.pairs.light import jitter_light
from artgen.training.pairs.maker import Pair, PairMaker, draw_from_range
from artgen.training.pairs.window import CropWindow, draw_crop_window
from artgen.training.recipes.pairs import BlendTable

# Largest shift, and change of size, of the same face as a share of its side: what alignment leaves inexact.
MAX_SHIFT_SHARE = 0.06


class BlendPairMaker(PairMaker):
    """Blends faces as the source ``faces`` does, for training pairs; the target covers the most."""

    def __init__(self, table: BlendTable, dataset: TrainingDataset) -> None:
        super().__init__(dataset)
        self.table = table

    def draw_pair(self, side: int, rng: np.random.Generator) -> Pair:
        faces = self.dataset.images.pixels
        return self._blend(faces, int(rng.integers(len(faces))), side, rng)

    def fixed_pair(self, index: int, count: int, side: int) -> Pair:
        """Return a blend of a held-out face, the same for the same ``index`` and ``count``."""
        faces = self.dataset.validation_images.pixels
        return self._blend(faces, index * len(faces) // count, side, np.random.default_rng((index, count)))

    def _blend(self, faces: Sequence[Pixels], target_index: int, side: int, rng: np.random.Generator) -> Pair:
        """Return a blended thumbnail and its target face.

        Args:
            faces: all faces to choose the others from.
            target_index: index of the target face.
            side: side of the target, px.
            rng: random generator of every choice.
        """
        table = self.table
        window = draw_crop_window(table.scale, table.flips, rng)
        crops = [window.crop(faces[target_index], side)]
        if len(faces) == 1 or rng.random() < table.own:
            crops.append(_shift_window(window, rng).crop(faces[target_index], side))
        else:
            for _ in range(int(rng.integers(1, table.faces))):
                other_index = (target_index + int(rng.integers(1, len(faces)))) % len(faces)
                crops.append(draw_crop_window(table.scale, table.flips, rng).crop(faces[other_index], side))
        thumbnails = torch.stack(
            [resize_by_area(crop, reduced_size((side, side), table.factor)) for crop in crops]
        )
        for index in range(1, len(crops)):
            thumbnails[index] = jitter_light(thumbnails[index], table.light, rng)
        masks = self._draw_masks(len(crops), thumbnails.shape[-1], rng)
        return blend_by_masks(thumbnails, masks).clamp(0, 1), crops[0]

    def _draw_masks(self, count: int, size: int, rng: np.random.Generator) -> Tensor:
        """Draw masks ``(count, 1, size, size)`` of blended faces, the one that covers most first."""
        table = self.table
        other_share = draw_from_range(table.other, rng)
        weights = [1 - other_share, *(other_share * rng.dirichlet(np.ones(count - 1)))]
        masks = draw_masks(
            str(rng.choice(table.modes)),
            torch.tensor(weights, dtype=torch.float32),
            (size, size),
            torch.Generator().manual_seed(int(rng.integers(2**63))),
            softness=draw_from_range(table.softness, rng),
            shapes_across=rng.uniform(1.0, 4.0),
        )
        return masks[masks.mean((1, 2, 3)).argsort(descending=True, stable=True)]


def _shift_window(window: CropWindow, rng: np.random.Generator) -> CropWindow:
    """Shift and resize a face's crop window at random by at most ``MAX_SHIFT_SHARE`` of its side."""
    enlargement, shift_down, shift_right = rng.uniform(-MAX_SHIFT_SHARE, MAX_SHIFT_SHARE, 3)
    share = min(1.0, window.share * (1 + enlargement))
    free_share = max(1 - share, 1e-3)
    return replace(
        window,
        share=share,
        top=min(1.0, max(0.0, window.top + shift_down / free_share)),
        left=min(1.0, max(0.0, window.left + shift_right / free_share)),
    )
