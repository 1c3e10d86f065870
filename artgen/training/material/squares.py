"""Squares of pictures, cut and reduced in one go."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from artgen.training.material.images import Pixels


def centre_square(pixels: Pixels, size: int) -> Tensor:
    """The largest square in the centre of ``(H, W, 3)`` uint8, as ``(3, size, size)`` in [0, 1]."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    return _square(pixels, (height - side) // 2, (width - side) // 2, side, size)


def random_square(pixels: Pixels, size: int, smallest: float, chance: np.random.Generator) -> Tensor:
    """A square anywhere, its side ``smallest`` to 1 of the picture's short side, as ``centre_square``."""
    height, width = pixels.shape[:2]
    side = max(1, round(min(height, width) * chance.uniform(smallest, 1)))
    top, left = (int(chance.integers(length - side + 1)) for length in (height, width))
    return _square(pixels, top, left, side, size)


def _square(pixels: Pixels, top: int, left: int, side: int, size: int) -> Tensor:
    part = Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    part = part.resize((size, size), Image.Resampling.LANCZOS, reducing_gap=2.0)
    array = np.asarray(part, dtype=np.float32) / 255
    return torch.from_numpy(array).permute(2, 0, 1).contiguous()
