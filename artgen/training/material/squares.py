"""Square crops of training images, resized to one size."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from artgen.training.material.images import Pixels


def centre_square(pixels: Pixels, size: int) -> Tensor:
    """Return a training image's largest centred square, as ``(3, size, size)`` in [0, 1]."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    return _crop_and_resize(pixels, (height - side) // 2, (width - side) // 2, side, size)


def random_square(pixels: Pixels, size: int, min_share: float, rng: np.random.Generator) -> Tensor:
    """Return a random square of a training image.

    Args:
        pixels: ``(H, W, 3)`` uint8.
        size: side of the result, px.
        min_share: smallest side of the crop, relative to the image's shorter side; the largest is 1.
        rng: draws side and position.

    Returns:
        ``(3, size, size)`` in [0, 1].
    """
    height, width = pixels.shape[:2]
    side = max(1, round(min(height, width) * rng.uniform(min_share, 1)))
    top, left = (int(rng.integers(length - side + 1)) for length in (height, width))
    return _crop_and_resize(pixels, top, left, side, size)


def _crop_and_resize(pixels: Pixels, top: int, left: int, side: int, size: int) -> Tensor:
    crop = Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    crop = crop.resize((size, size), Image.Resampling.LANCZOS, reducing_gap=2.0)
    array = np.asarray(crop, dtype=np.float32) / 255
    return torch.from_numpy(array).permute(2, 0, 1).contiguous()
