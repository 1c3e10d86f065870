"""DiffAugment: differentiable augmentation of real and generated images before a critic sees them.

Zhao, Liu, Lin, Zhu and Han 2020 (Differentiable Augmentation for Data-Efficient GAN Training,
arXiv:2006.10738): colour (brightness, saturation, contrast), translation by up to an eighth, a cutout of half
the sides. With it a small dataset lasts longer; the generator learns through it. Deviations:

- Each augmentation is applied to a share of the images, as in Karras et al. 2020 (arXiv:2006.06676), not to
all
  of them: a small critic that never sees a whole image in its own colours learns texture but no composition.
- Random values come from the caller, one row an image, so that a step repeats with any number of processes.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

# Values that leave an image as it is: brightness, saturation, contrast, shift down and across, and the centre
# of the cutout, which is outside the image.
NO_AUGMENTATION_VALUES = np.array([0.5, 0.5, 0.5, 0.5, 0.5, 9.0, 9.0], np.float32)
AUGMENTATION_OF_VALUE = [0, 0, 0, 1, 1, 2, 2]
"""Which of the three augmentations (colour, translation, cutout) each of the seven values belongs to."""
FILL_GREY_LEVEL = 0.5
MAX_SHIFT_SIDE_SHARE, CUTOUT_SIDE_SHARE = 1 / 8, 1 / 2
"""Largest translation and side of the cutout, relative to the image's side."""


def draw_diffaugment_values(rng: np.random.Generator, count: int, share: float) -> Tensor:
    """Draw the random values ``(count, 7)`` by which DiffAugment changes a GAN's training images.

    Args:
        rng: the random generator.
        count: number of images.
        share: probability of each of the three augmentations, 0 to 1.
    """
    values = rng.random((count, len(AUGMENTATION_OF_VALUE)), np.float32)
    is_augmented = rng.random((count, 3)) < share
    return torch.from_numpy(np.where(is_augmented[:, AUGMENTATION_OF_VALUE], values, NO_AUGMENTATION_VALUES))


def apply_diffaugment(images: Tensor, values: Tensor) -> Tensor:
    """Return copies of a GAN's training images, augmented by DiffAugment; colours may leave [0, 1].

    Args:
        images: ``(B, 3, H, W)`` in [0, 1], real or generated.
        values: ``(B, 7)`` on the CPU, from ``draw_diffaugment_values``.
    """
    x = _jitter_colours(images - FILL_GREY_LEVEL, values[:, :3].to(images.device, images.dtype))
    x = _translate(x, values[:, 3:5])
    return x * _cutout_masks(values[:, 5:7], x.shape[-2:]).to(images.device, images.dtype) + FILL_GREY_LEVEL


def _jitter_colours(x: Tensor, values: Tensor) -> Tensor:
    brightness, saturation, contrast = (values[:, column, None, None, None] for column in range(3))
    x = x + (brightness - 0.5) / 2
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * saturation * 2
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (x - mean) * (contrast + 0.5)


def _translate(x: Tensor, values: Tensor) -> Tensor:
    """Shift each augmented image by whole pixels, and fill what it leaves with grey."""
    height, width = x.shape[-2:]
    max_down, max_across = round(height * MAX_SHIFT_SIDE_SHARE), round(width * MAX_SHIFT_SIDE_SHARE)
    padded = F.pad(x, (max_across, max_across, max_down, max_down))
    tops, lefts = (
        (values[:, axis] * (2 * max_shift + 1)).int().tolist()
        for axis, max_shift in ((0, max_down), (1, max_across))
    )
    shifted = [
        image[:, top : top + height, left : left + width]
        for image, top, left in zip(padded, tops, lefts, strict=True)
    ]
    return torch.stack(shifted)


def _cutout_masks(values: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return DiffAugment's masks ``(B, 1, H, W)``: 0 in a rectangle around a random centre, else 1."""
    is_inside = []
    for axis, side in enumerate(size):
        centre = (values[:, axis] * (side + 1)).int()[:, None]
        offset = torch.arange(side) - centre + round(side * CUTOUT_SIDE_SHARE) // 2
        is_inside.append((offset >= 0) & (offset < round(side * CUTOUT_SIDE_SHARE)))
    rows, columns = is_inside
    return 1.0 - (rows[:, None, :, None] & columns[:, None, None, :]).float()
