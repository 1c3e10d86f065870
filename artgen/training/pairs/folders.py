"""The pair maker ``folders``: inputs are given, each named as its target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import luminance
from artgen.training.images import ImageSet, Pixels
from artgen.training.material import Material
from artgen.training.pairs.maker import Pair, PairMaker
from artgen.training.pairs.window import Window, draw_window
from artgen.training.recipes.pairs import Folders

# Proportions of an input and its target may differ by this share: rounding, not another picture.
TOLERANCE = 0.03
SHOWN = 5
COMMAND = "artgen data pairs INPUTS TARGETS"


class FolderPairs(PairMaker):
    """Pairs of two folders, cut and flipped alike.

    Raises:
        ArtgenError: an image has no partner, or one of other proportions; nothing is left out silently.
    """

    def __init__(self, table: Folders, material: Material) -> None:
        super().__init__(material)
        self.table, self.channels = table, table.channels
        assert material.inputs is not None
        assert material.validation_inputs is not None
        self.training = matched(material.images, material.inputs)
        self.held_out = matched(material.validation, material.validation_inputs)

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


def matched(targets: ImageSet, inputs: ImageSet) -> list[tuple[Pixels, Pixels]]:
    """``(input, target)`` of the same name, in the order of the targets.

    Raises:
        ArtgenError: as ``FolderPairs``.
    """
    keys, others = _keys(targets.names), _keys(inputs.names)
    problems = [
        *_listed("without an input", sorted(keys.keys() - others.keys())),
        *_listed("without a target", sorted(others.keys() - keys.keys())),
    ]
    if problems:
        raise ArtgenError(
            "pairs", "; ".join(problems), "the same names in both folders but for the ending", COMMAND
        )
    pairs = [(inputs.pixels[others[key]], targets.pixels[place]) for key, place in keys.items()]
    bent = [key for key, (a, b) in zip(keys, pairs, strict=True) if not _alike(a, b)]
    if bent:
        found = "; ".join(_listed("of other proportions than its target", bent))
        raise ArtgenError("pairs", found, "input and target of the same scene and cut", COMMAND)
    return pairs


def _keys(names: Sequence[str]) -> dict[str, int]:
    """Each name without folder and ending, with its place; with its folder only where names repeat."""
    stems = [PurePath(name).stem for name in names]
    if max(Counter(stems).values(), default=0) > 1:
        stems = [str(PurePath(name).with_suffix("")) for name in names]
    twice = sorted(stem for stem, count in Counter(stems).items() if count > 1)
    if twice:
        raise ArtgenError(
            "pairs", "; ".join(_listed("of which there are two", twice)), "one image of each name"
        )
    return {stem: place for place, stem in enumerate(stems)}


def _alike(a: Pixels, b: Pixels) -> bool:
    return bool(abs(a.shape[0] * b.shape[1] / (a.shape[1] * b.shape[0]) - 1) <= TOLERANCE)


def _listed(what: str, names: Sequence[str]) -> list[str]:
    """``3 images without an input: a, b, c``; nothing where there are none."""
    if not names:
        return []
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    count = f"{len(names)} image{'s' if len(names) > 1 else ''}"
    return [f"{count} {what}: {', '.join(names[:SHOWN])}{more}"]
