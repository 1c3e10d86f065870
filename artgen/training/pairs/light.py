"""Another light: brightness, contrast and tint of an input, changed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def relit(image: Tensor, brightness: float, contrast: float) -> Tensor:
    """``(C, H, W)`` brighter by ``brightness``, its distances from its mean times ``contrast``, in [0, 1]."""
    middle = image.mean()
    return (middle + brightness + (image - middle) * contrast).clamp(0, 1)


def in_another_light(image: Tensor, amount: float, chance: np.random.Generator) -> Tensor:
    """``(3, H, W)`` as another lamp and another film would show it; ``amount`` 0 (not at all) to 1."""
    brightness, contrast, saturation = amount * chance.uniform(-1, 1, 3) * (0.25, 0.4, 0.6)
    tint = torch.from_numpy(1 + amount * chance.uniform(-0.2, 0.2, (3, 1, 1)).astype(np.float32))
    grey = image.mean(0, keepdim=True)
    return relit((grey + (image - grey) * (1 + saturation)) * tint, brightness, 1 + contrast)
