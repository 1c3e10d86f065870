"""A memory of made pictures, so that a critic does not only know the generator's latest habit."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class Pool:
    """Pictures made earlier, as 8-bit integers (Shrivastava et al. 2017, arXiv:1612.07828).

    Args:
        size: how many; none makes ``exchange`` give back what it was given.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.pictures: list[Tensor] = []

    def exchange(self, made: Tensor, chance: np.random.Generator) -> Tensor:
        """What the critic is shown: each picture of ``made``, or in half the cases an older one.

        The older one leaves and the new one takes its place; until the pool is full every new one is kept.

        Args:
            made: ``(B, 3, H, W)`` in [0, 1].
            chance: of this step.
        """
        if not self.size:
            return made
        return torch.stack([self._exchanged(picture, chance) for picture in made])

    def _exchanged(self, picture: Tensor, chance: np.random.Generator) -> Tensor:
        kept = (picture * 255).round().byte()
        if len(self.pictures) < self.size:
            self.pictures.append(kept)
            return picture
        if chance.random() < 0.5:
            return picture
        index = int(chance.integers(self.size))
        old, self.pictures[index] = self.pictures[index], kept
        return old.to(picture.dtype) / 255
