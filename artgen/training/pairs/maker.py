"""The base class of pair makers, which make pairs of input and target, mostly from targets alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.training.material.images import Pixels
from artgen.training.material.material import TrainingDataset

Pair = tuple[Tensor, Tensor]
"""An input and its target."""


def draw_from_range(bounds: Sequence[float], rng: np.random.Generator) -> float:
    """Draw a number between ``bounds[0]`` and ``bounds[1]`` for a training pair."""
    low, high = bounds
    return low + (high - low) * rng.random()


class PairMaker(ABC):
    """Makes training pairs: inputs ``(C, h, w)`` and targets ``(3, side, side)``, in [0, 1].

    Args:
        dataset: the images.
    """

    enlarge_mode: ClassVar[str] = "bicubic"
    """Interpolation that enlarges an input to the size of its target, for networks that need that."""
    channels: int = 3
    """Channels of the input."""

    def __init__(self, dataset: TrainingDataset) -> None:
        self.dataset = dataset

    @abstractmethod
    def draw_pair(self, side: int, rng: np.random.Generator) -> Pair:
        """Draw a random training pair of input and target from one image.

        Args:
            side: side of the target, px.
            rng: random generator of every choice.
        """

    @abstractmethod
    def fixed_pair(self, index: int, count: int, side: int) -> Pair:
        """Return a validation pair of input and target, the same every time.

        Args:
            index: number of the pair, from 0.
            count: number of such pairs, spread over all validation images.
            side: side of the target, px.
        """

    def validation_batch(self, count: int, side: int, *, enlarge_inputs: bool) -> Pair:
        """Return fixed validation pairs as batches ``(count, C, h, w)`` and ``(count, 3, side, side)``.

        Args:
            count: number of pairs.
            side: side of the targets, px.
            enlarge_inputs: whether inputs are enlarged to the targets' size.
        """
        pairs = [self.fixed_pair(index, count, side) for index in range(count)]
        inputs, targets = (torch.stack([pair[part] for pair in pairs]) for part in (0, 1))
        return (self.enlarge(inputs, side) if enlarge_inputs else inputs), targets

    def enlarge(self, inputs: Tensor, side: int) -> Tensor:
        """Enlarge training inputs ``(B, C, h, w)`` to the targets' size ``(B, C, side, side)``."""
        if inputs.shape[-1] == side:
            return inputs
        if self.enlarge_mode == "nearest":
            return F.interpolate(inputs, size=(side, side), mode="nearest")
        return F.interpolate(inputs, size=(side, side), mode="bicubic", align_corners=False).clamp(0, 1)

    def _draw_pixels(self, rng: np.random.Generator) -> Pixels:
        """Return the pixels of a random image of the training set."""
        images = self.dataset.images.pixels
        return images[int(rng.integers(len(images)))]

    def _validation_pixels(self, index: int, count: int) -> Pixels:
        """Return one of ``count`` validation images that are spread over all."""
        images = self.dataset.validation_images.pixels
        return images[index * len(images) // count]
