"""What a pair maker is: it makes (input, target) pairs, mostly out of targets alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.training.material.images import Pixels
from artgen.training.material.material import Material

Pair = tuple[Tensor, Tensor]


def between(ends: Sequence[float], chance: np.random.Generator) -> float:
    """A number of the range from ``ends[0]`` to ``ends[1]``."""
    low, high = ends
    return low + (high - low) * chance.random()


class PairMaker(ABC):
    """Makes pairs: the input ``(C, h, w)`` at its natural size and the target ``(3, side, side)``, in [0, 1].

    Args:
        material: the images.
    """

    enlarging: ClassVar[str] = "bicubic"
    """How an input smaller than its target is brought to the target's size, where a network wants that."""
    channels: int = 3
    """Of the input."""

    def __init__(self, material: Material) -> None:
        self.material = material

    @abstractmethod
    def random(self, side: int, chance: np.random.Generator) -> Pair:
        """A pair by chance, of a training image."""

    @abstractmethod
    def fixed(self, index: int, count: int, side: int) -> Pair:
        """The same pair every time: number ``index`` of ``count``, spread over the validation images."""

    def validation(self, count: int, side: int, *, enlarged: bool) -> Pair:
        """``count`` fixed pairs as batches ``(B, C, h, w)`` and ``(B, 3, side, side)``."""
        pairs = [self.fixed(index, count, side) for index in range(count)]
        inputs, targets = (torch.stack([pair[k] for pair in pairs]) for k in (0, 1))
        return (self.enlarged(inputs, side) if enlarged else inputs), targets

    def enlarged(self, inputs: Tensor, side: int) -> Tensor:
        """``(B, C, h, w)`` at the target's size."""
        if inputs.shape[-1] == side:
            return inputs
        if self.enlarging == "nearest":
            return F.interpolate(inputs, size=(side, side), mode="nearest")
        return F.interpolate(inputs, size=(side, side), mode="bicubic", align_corners=False).clamp(0, 1)

    def _drawn(self, chance: np.random.Generator) -> Pixels:
        images = self.material.images.pixels
        return images[int(chance.integers(len(images)))]

    def _held(self, index: int, count: int) -> Pixels:
        images = self.material.validation.pixels
        return images[index * len(images) // count]
