"""The paintings that a picture is painted from, with everything that can be worked out beforehand."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor

from artgen.imaging.image import fit, resize
from artgen.style.patch.dictionary import Atlas, Dictionary
from artgen.style.patch.schedule import Pass
from artgen.style.style_folder import as_floats

PALETTE_SIDE = 256
PALETTE_COLOURS = 20_000
FEW = 16  # pictures whose palette is taken from reduced ones; that of more is drawn from their pixels
SMALLEST = 16
REMEMBERED = 3
# Pixels of one atlas, and of all that are remembered; with what belongs to it each takes 40 bytes.
LARGEST, MOST = 12_000_000, 24_000_000


class StyleSet:
    """One or more paintings with weights; remembers its sizes and dictionaries.

    Whatever it draws at random depends on the paintings only, so sharing it between candidates
    changes none of them.

    Args:
        pictures: ``(3, h, w)`` in ``[0, 1]`` each, or bytes: of thousands a float each would be too much.
        weights: the share of each.
    """

    def __init__(self, pictures: Sequence[Tensor], weights: Sequence[float]) -> None:
        self.pictures, self.weights = list(pictures), list(weights)
        self._atlases: OrderedDict[tuple[int, tuple[int, ...]], Atlas] = OrderedDict()
        self._dictionaries: dict[tuple[Atlas, Pass], Dictionary] = {}
        self.palette = self._draw_palette()

    def atlas(self, side: int, order: Sequence[int] | None = None) -> Atlas:
        """The paintings with their longer side at ``side`` px, but never enlarged.

        A stretched painting has no brushwork left at its finest. Only what is too small to hold a
        patch is enlarged.

        Args:
            side: px.
            order: numbers of the paintings, the dearest first: those that no longer fit into ``LARGEST``
                pixels are left out.
        """
        numbers = self._fitting(side, range(len(self.pictures)) if order is None else order)
        name = (side, numbers)
        if name not in self._atlases:
            self._atlases[name] = Atlas([_sized(self.pictures[n], side) for n in numbers], numbers)
            self._forget()
        self._atlases.move_to_end(name)
        return self._atlases[name]

    def dictionary(self, atlas: Atlas, step: Pass) -> Dictionary:
        """The patches of an atlas that a pass asks for."""
        name = (atlas, step)
        if name not in self._dictionaries:
            generator = torch.Generator().manual_seed(step.patch)
            weights = [self.weights[number] for number in atlas.numbers]
            made = Dictionary(atlas, step.patch, step.keys, weights, generator, soft=step.soft)
            if not any(atlas is kept for kept in self._atlases.values()):  # forgotten while in use
                return made
            self._dictionaries[name] = made
        return self._dictionaries[name]

    def leading(self, atlas: Atlas) -> Tensor:
        """The painting of an atlas with the largest weight."""
        place = max(range(len(atlas.numbers)), key=lambda place: self.weights[atlas.numbers[place]])
        return atlas.pictures[place]

    def _fitting(self, side: int, order: Sequence[int]) -> tuple[int, ...]:
        taken: list[int] = []
        area = 0
        for number in order:
            height, width = self.pictures[number].shape[-2:]
            reduced = min(1.0, side / max(height, width))
            area += max(SMALLEST, round(height * reduced)) * max(SMALLEST, round(width * reduced))
            if taken and area > LARGEST:
                break
            taken.append(number)
        return tuple(sorted(taken))

    def _forget(self) -> None:
        """Let go of the oldest atlases, with their dictionaries."""
        area = sum(len(atlas.pixels) for atlas in self._atlases.values())
        while area > MOST and len(self._atlases) > 1:
            _, old = self._atlases.popitem(last=False)
            area -= len(old.pixels)
            self._dictionaries = {name: d for name, d in self._dictionaries.items() if name[0] is not old}

    def _draw_palette(self) -> Tensor:
        """Colours of the paintings by weight: ``(3, M)``."""
        generator = torch.Generator().manual_seed(0)
        total, drawn = sum(self.weights), []
        few = len(self.pictures) <= FEW
        for picture, weight in zip(self.pictures, self.weights, strict=True):
            side = min(PALETTE_SIDE, max(picture.shape[1:]))
            colours = (fit(as_floats(picture), side) if few else picture).flatten(1)
            count = max(256 if few else 1, round(PALETTE_COLOURS * weight / total))
            which = torch.randint(colours.shape[1], (count,), generator=generator)
            drawn.append(as_floats(colours[:, which.to(colours.device)]))
        return torch.cat(drawn, 1)


def _sized(picture: Tensor, side: int) -> Tensor:
    sized = fit(as_floats(picture), min(side, max(picture.shape[1:])))
    height, width = int(sized.shape[1]), int(sized.shape[2])
    if min(height, width) >= SMALLEST:
        return sized
    return resize(sized, (max(height, SMALLEST), max(width, SMALLEST)))


_recent: OrderedDict[str, StyleSet] = OrderedDict()


def prepare(pictures: Sequence[Tensor], weights: Sequence[float]) -> StyleSet:
    """The style set of these paintings; the last few are kept, so a run prepares each painting once."""
    digest = hashlib.sha256(repr([*weights, *(p.shape for p in pictures)]).encode())
    for picture in pictures:
        digest.update(f"{picture.device} {picture.dtype}".encode())
        digest.update(picture.detach().cpu().contiguous().numpy().tobytes())
    key = digest.hexdigest()
    if key not in _recent:
        _recent[key] = StyleSet(pictures, weights)
        if len(_recent) > REMEMBERED:
            _recent.popitem(last=False)
    _recent.move_to_end(key)
    return _recent[key]
