"""The paintings that a picture is painted from, with everything that can be worked out beforehand."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor

from artgen.imaging.image import fit, resize
from artgen.style.dictionary import Atlas, Dictionary
from artgen.style.plan import Pass

PALETTE_SIDE = 256
PALETTE_COLOURS = 20_000
SMALLEST = 16
REMEMBERED = 3
SIZES = 12


class StyleSet:
    """One or more paintings with weights; remembers its sizes and dictionaries.

    Whatever it draws at random depends on the paintings only, so sharing it between candidates
    changes none of them.

    Args:
        pictures: ``(3, h, w)`` in ``[0, 1]`` each.
        weights: the share of each.
    """

    def __init__(self, pictures: Sequence[Tensor], weights: Sequence[float]) -> None:
        self.pictures, self.weights = list(pictures), list(weights)
        self._atlases: dict[int, Atlas] = {}
        self._dictionaries: dict[tuple[int, Pass], Dictionary] = {}
        self.palette = self._draw_palette()

    @property
    def leading(self) -> int:
        """Index of the painting with the largest weight."""
        return max(range(len(self.weights)), key=lambda index: self.weights[index])

    def atlas(self, side: int) -> Atlas:
        """The paintings with their longer side at ``side`` px, but never enlarged.

        A stretched painting has no brushwork left at its finest. Only what is too small to hold a
        patch is enlarged.
        """
        if side not in self._atlases:
            if len(self._atlases) >= SIZES:
                self._atlases.clear()
                self._dictionaries.clear()
            self._atlases[side] = Atlas([_sized(picture, side) for picture in self.pictures])
        return self._atlases[side]

    def dictionary(self, side: int, step: Pass) -> Dictionary:
        """The patches of the paintings at ``side`` px that a pass asks for."""
        name = (side, step)
        if name not in self._dictionaries:
            generator = torch.Generator().manual_seed(step.patch)
            self._dictionaries[name] = Dictionary(
                self.atlas(side), step.patch, step.keys, self.weights, generator, soft=step.soft
            )
        return self._dictionaries[name]

    def _draw_palette(self) -> Tensor:
        """Colours of the paintings by weight: ``(3, M)``."""
        generator = torch.Generator().manual_seed(0)
        total, drawn = sum(self.weights), []
        for picture, weight in zip(self.pictures, self.weights, strict=True):
            colours = fit(picture, min(PALETTE_SIDE, max(picture.shape[1:]))).flatten(1)
            count = max(256, round(PALETTE_COLOURS * weight / total))
            which = torch.randint(colours.shape[1], (count,), generator=generator)
            drawn.append(colours[:, which.to(colours.device)])
        return torch.cat(drawn, 1)


def _sized(picture: Tensor, side: int) -> Tensor:
    sized = fit(picture, min(side, max(picture.shape[1:])))
    height, width = int(sized.shape[1]), int(sized.shape[2])
    if min(height, width) >= SMALLEST:
        return sized
    return resize(sized, (max(height, SMALLEST), max(width, SMALLEST)))


_recent: OrderedDict[str, StyleSet] = OrderedDict()


def prepare(pictures: Sequence[Tensor], weights: Sequence[float]) -> StyleSet:
    """The style set of these paintings; the last few are kept, so a run prepares each painting once."""
    digest = hashlib.sha256(repr([*weights, *(p.shape for p in pictures)]).encode())
    for picture in pictures:
        digest.update(str(picture.device).encode())
        digest.update(picture.detach().cpu().contiguous().numpy().tobytes())
    key = digest.hexdigest()
    if key not in _recent:
        _recent[key] = StyleSet(pictures, weights)
        if len(_recent) > REMEMBERED:
            _recent.popitem(last=False)
    _recent.move_to_end(key)
    return _recent[key]
