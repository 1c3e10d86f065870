"""A pool of earlier generated images, so that a critic does not only learn the generator's latest state."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class ImagePool:
    """Earlier generated images that a critic sees again, 8-bit (Shrivastava et al. 2017, arXiv:1612.07828).

    Args:
        capacity: largest number of images; with 0, ``exchange`` returns its input.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.images: list[Tensor] = []

    def exchange(self, generated: Tensor, rng: np.random.Generator) -> Tensor:
        """Replace about half of a batch of generated images by older ones from the pool.

        An older image that is used leaves the pool, and the new one takes its place. Until the pool is full,
        every new image is both stored and returned.

        Args:
            generated: ``(B, 3, H, W)`` in [0, 1].
            rng: the random generator of this step.

        Returns:
            ``(B, 3, H, W)`` for the critic.
        """
        if not self.capacity:
            return generated
        return torch.stack([self._exchange_one(image, rng) for image in generated])

    def _exchange_one(self, image: Tensor, rng: np.random.Generator) -> Tensor:
        stored = (image * 255).round().byte()
        if len(self.images) < self.capacity:
            self.images.append(stored)
            return image
        if rng.random() < 0.5:
            return image
        index = int(rng.integers(self.capacity))
        older, self.images[index] = self.images[index], stored
        return older.to(image.dtype) / 255
