"""The pair maker ``blend``: inputs are mixed thumbnails of aligned faces, the target is one whole face.

What teaches a network to make *one* face out of a mixture? To bring back the face that dominates, when the
others are other people, teaches what belongs together in a face, but also to throw the others out. So in a
share of the pairs the other face is the same person's own picture, shifted a little and in another light:
then only what betrays the mixture (seams, double contours, two lights) is to be removed, and whose traits
they are is left alone. Shiohara and Yamasaki 2022, "Detecting Deepfakes with Self-Blended Images", make such
mixtures to find forgeries; here the network learns to heal them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from artgen.imaging.inputs import cells, pixelated
from artgen.imaging.masks import masks, mix
from artgen.training.material.images import Pixels
from artgen.training.material.material import Material
from artgen.training.pairs.light import in_another_light
from artgen.training.pairs.maker import Pair, PairMaker, between
from artgen.training.pairs.window import Window, draw_window
from artgen.training.recipes.pairs import Blend

# How far the same face is shifted and scaled, relative to its side: what alignment leaves to chance.
SHIFT = 0.06


class BlendPairs(PairMaker):
    """Faces mixed in the ways of the source ``faces``; the one that covers most is the target."""

    def __init__(self, table: Blend, material: Material) -> None:
        super().__init__(material)
        self.table = table

    def random(self, side: int, chance: np.random.Generator) -> Pair:
        faces = self.material.images.pixels
        return self._pair(faces, int(chance.integers(len(faces))), side, chance)

    def fixed(self, index: int, count: int, side: int) -> Pair:
        """A held-out face, always mixed alike."""
        faces = self.material.validation.pixels
        return self._pair(faces, index * len(faces) // count, side, np.random.default_rng((index, count)))

    def _pair(self, faces: Sequence[Pixels], first: int, side: int, chance: np.random.Generator) -> Pair:
        table = self.table
        window = draw_window(table.scale, table.flips, chance)
        pictures = [window.cut(faces[first], side)]
        if len(faces) == 1 or chance.random() < table.own:
            pictures.append(_shifted(window, chance).cut(faces[first], side))
        else:
            for _ in range(int(chance.integers(1, table.faces))):
                other = (first + int(chance.integers(1, len(faces)))) % len(faces)
                pictures.append(draw_window(table.scale, table.flips, chance).cut(faces[other], side))
        thumbnails = torch.stack(
            [pixelated(picture, cells((side, side), table.factor)) for picture in pictures]
        )
        for k in range(1, len(pictures)):
            thumbnails[k] = in_another_light(thumbnails[k], table.light, chance)
        covers = self._covers(len(pictures), thumbnails.shape[-1], chance)
        return mix(thumbnails, covers).clamp(0, 1), pictures[0]

    def _covers(self, count: int, size: int, chance: np.random.Generator) -> Tensor:
        """Masks of ``count`` faces, the largest first."""
        table = self.table
        other = between(table.other, chance)
        weights = [1 - other, *(other * chance.dirichlet(np.ones(count - 1)))]
        covers = masks(
            str(chance.choice(table.modes)),
            torch.tensor(weights, dtype=torch.float32),
            (size, size),
            torch.Generator().manual_seed(int(chance.integers(2**63))),
            softness=between(table.softness, chance),
            shapes=chance.uniform(1.0, 4.0),
        )
        return covers[covers.mean((1, 2, 3)).argsort(descending=True, stable=True)]


def _shifted(window: Window, chance: np.random.Generator) -> Window:
    """Nearly the same square."""
    smaller, down, right = chance.uniform(-SHIFT, SHIFT, 3)
    share = min(1.0, window.share * (1 + smaller))
    room = max(1 - share, 1e-3)
    return replace(
        window,
        share=share,
        top=min(1.0, max(0.0, window.top + down / room)),
        left=min(1.0, max(0.0, window.left + right / room)),
    )
