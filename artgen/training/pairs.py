"""The pair maker ``pixelate``: from target images alone, (thumbnail, target) pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from artgen.training.images import Pixels

# A crop is taken up to this many times larger than the target and reduced to it: brush strokes at many
# scales, and no JPEG blocks at the larger ones.
LARGEST_REDUCTION = 3.2
KERNELS = ("area", "bicubic", "bilinear", "blur")


def pixelate(
    images: Sequence[Pixels], *, count: int, crop: int, factor: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """``count`` random pairs: inputs ``(B, 3, crop, crop)`` and targets ``factor`` times larger, in [0, 1].

    The reduction's kernel varies, so that a model does not depend on one; half are plain area means.
    """
    side = crop * factor
    targets = torch.stack([_target(images[int(rng.integers(len(images)))], side, rng) for _ in range(count)])
    kernels = rng.choice(KERNELS, size=count, p=(0.5, 0.2, 0.15, 0.15))
    inputs = torch.cat([_reduce(targets[i : i + 1], crop, str(kernels[i])) for i in range(count)])
    return inputs, targets


def _target(pixels: Pixels, side: int, rng: np.random.Generator) -> Tensor:
    height, width = pixels.shape[:2]
    largest = min(height, width)
    reduction = math.exp(rng.uniform(0.0, math.log(max(1.0, min(LARGEST_REDUCTION, largest / side)))))
    cut = min(largest, round(side * reduction))
    top, left = int(rng.integers(height - cut + 1)), int(rng.integers(width - cut + 1))
    patch = Image.fromarray(np.ascontiguousarray(pixels[top : top + cut, left : left + cut]))
    if cut != side:
        patch = patch.resize((side, side), Image.Resampling.LANCZOS)
    array = np.asarray(patch, dtype=np.float32) / 255
    if rng.random() < 0.5:
        array = array[:, ::-1]
    target = torch.from_numpy(np.ascontiguousarray(array)).permute(2, 0, 1)
    return _recolour(target, rng) if rng.random() < 0.35 else target


def _recolour(image: Tensor, rng: np.random.Generator) -> Tensor:
    """Turn the hue about the grey axis and scale saturation, keeping within [0, 1]."""
    angle, saturation = rng.uniform(-math.pi, math.pi), rng.uniform(0.7, 1.5)
    cos, sin = math.cos(angle), math.sin(angle)
    third, root = (1 - cos) / 3, math.sqrt(1 / 3) * sin
    turn = torch.tensor(
        [
            [cos + third, third - root, third + root],
            [third + root, cos + third, third - root],
            [third - root, third + root, cos + third],
        ]
    )
    grey = image.mean(0, keepdim=True)
    return (grey + saturation * torch.einsum("ij,jhw->ihw", turn, image - grey)).clamp(0, 1)


def _reduce(target: Tensor, crop: int, kernel: str) -> Tensor:
    if kernel == "area":
        return F.interpolate(target, size=crop, mode="area")
    if kernel == "blur":
        half = F.avg_pool2d(target, 2)
        soft = F.avg_pool2d(F.pad(half, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        return F.interpolate(soft, size=crop, mode="area")
    return F.interpolate(target, size=crop, mode=kernel, antialias=True, align_corners=False).clamp(0, 1)


def validation_pairs(
    images: Sequence[Pixels], *, count: int, size: int, factor: int
) -> tuple[Tensor, Tensor]:
    """Fixed pairs for samples and metrics: the middle of evenly chosen images, reduced to twice the target.

    Inputs are area means ``(count, 3, size, size)``, targets ``factor`` times larger.
    """
    side = size * factor
    targets = []
    for i in range(count):
        pixels = images[i * len(images) // count]
        height, width = pixels.shape[:2]
        cut = min(2 * side, height, width)
        top, left = (height - cut) // 2, (width - cut) // 2
        patch = Image.fromarray(np.ascontiguousarray(pixels[top : top + cut, left : left + cut]))
        array = np.asarray(patch.resize((side, side), Image.Resampling.LANCZOS), dtype=np.float32) / 255
        targets.append(torch.from_numpy(array).permute(2, 0, 1))
    stacked = torch.stack(targets)
    return F.avg_pool2d(stacked, factor), stacked
