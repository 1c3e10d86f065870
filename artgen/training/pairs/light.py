"""Changing the brightness, contrast, saturation and tint of an image."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def adjust_light(image: Tensor, brightness: float, contrast: float) -> Tensor:
    """Change the brightness and contrast of a training image ``(C, H, W)`` in [0, 1].

    Args:
        image: ``(C, H, W)`` in [0, 1].
        brightness: added to every value, -1 to 1.
        contrast: factor of the differences from the mean value.
    """
    mean = image.mean()
    return (mean + brightness + (image - mean) * contrast).clamp(0, 1)


def jitter_light(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Change a training image's brightness, contrast, saturation and tint at random, as another lamp would.

    Args:
        image: ``(3, H, W)`` in [0, 1].
        strength: 0 (no change) to 1.
        rng: random generator of the changes.
    """
    brightness, contrast, saturation = strength * rng.uniform(-1, 1, 3) * (0.25, 0.4, 0.6)
    tint = torch.from_numpy(1 + strength * rng.uniform(-0.2, 0.2, (3, 1, 1)).astype(np.float32))
    grey = image.mean(0, keepdim=True)
    return adjust_light((grey + (image - grey) * (1 + saturation)) * tint, brightness, 1 + contrast)
