"""DiffAugment: real and made pictures are changed alike before a critic sees them; few last longer.

Zhao, Liu, Lin, Zhu and Han 2020 (Differentiable Augmentation for Data-Efficient GAN Training,
arXiv:2006.10738): colour (brightness, saturation, contrast), translation by up to an eighth, a hole of half
the side. All of it is differentiable, so the generator learns through it. Deviations:

- Each change is made to a share of the pictures, as in Karras et al. 2020 (arXiv:2006.06676), not to all of
  them: a small critic that never sees a whole picture in its own colours learns texture, no composition.
- Chance comes from outside, one row a picture, so that a step repeats whatever the number of processes.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

# Chances by which a picture stays as it is: no light, full colour and contrast, no shift, the hole elsewhere.
UNCHANGED = np.array([0.5, 0.5, 0.5, 0.5, 0.5, 9.0, 9.0], np.float32)
CHANGE = [0, 0, 0, 1, 1, 2, 2]
"""Which change each of the seven chances belongs to."""
GREY = 0.5
SHIFT, HOLE = 1 / 8, 1 / 2


def chances(random: np.random.Generator, count: int, share: float) -> Tensor:
    """``(count, 7)``: what ``augment`` does to each of ``count`` pictures: every change to a ``share``."""
    values = random.random((count, len(CHANGE)), np.float32)
    made = random.random((count, 3)) < share
    return torch.from_numpy(np.where(made[:, CHANGE], values, UNCHANGED))


def augment(images: Tensor, chance: Tensor) -> Tensor:
    """Changed copies of ``images``, ``(B, 3, H, W)`` in [0, 1]; colours may leave that range.

    Args:
        images: real or made.
        chance: ``(B, 7)``, as ``chances`` gives them: on the CPU.
    """
    x = _colour(images - GREY, chance[:, :3].to(images.device, images.dtype))
    x = _translated(x, chance[:, 3:5])
    return x * _holes(chance[:, 5:7], x.shape[-2:]).to(images.device, images.dtype) + GREY


def _colour(x: Tensor, chance: Tensor) -> Tensor:
    brightness, saturation, contrast = (chance[:, k, None, None, None] for k in range(3))
    x = x + (brightness - 0.5) / 2
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * saturation * 2
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (x - mean) * (contrast + 0.5)


def _translated(x: Tensor, chance: Tensor) -> Tensor:
    """Each picture moved by whole pixels, grey where it left."""
    height, width = x.shape[-2:]
    down, across = round(height * SHIFT), round(width * SHIFT)
    padded = F.pad(x, (across, across, down, down))
    tops, lefts = (
        (chance[:, axis] * (2 * most + 1)).int().tolist() for axis, most in ((0, down), (1, across))
    )
    moved = [
        image[:, top : top + height, left : left + width]
        for image, top, left in zip(padded, tops, lefts, strict=True)
    ]
    return torch.stack(moved)


def _holes(chance: Tensor, size: tuple[int, ...]) -> Tensor:
    """Masks ``(B, 1, H, W)``: 0 in a rectangle of half the sides about a point by chance, 1 elsewhere."""
    inside = []
    for axis, side in enumerate(size):
        centre = (chance[:, axis] * (side + 1)).int()[:, None]
        near = torch.arange(side) - centre + round(side * HOLE) // 2
        inside.append((near >= 0) & (near < round(side * HOLE)))
    rows, columns = inside
    return 1.0 - (rows[:, None, :, None] & columns[:, None, None, :]).float()
