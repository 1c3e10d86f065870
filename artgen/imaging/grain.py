"""Film grain as density noise."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import luminance


def add_grain(image: Tensor, amount: float, size: float, colour: float, stream: torch.Generator) -> Tensor:
    """Add film grain.

    Grains are opaque specks thrown at random (Newson et al. 2017, "A stochastic film grain model"),
    so a patch whose share ``t`` is covered varies as ``t (1 - t)``: most in the middle tones, nothing
    in pure black and white. Here their sum is approximated by smoothed Gaussian noise of three widths.

    Args:
        image: ``(3, H, W)``, sRGB, ``[0, 1]``.
        amount: standard deviation in the middle tones is ``0.1 * amount``.
        size: width of a grain in px.
        colour: 0 gives every channel the same grain, 1 independent ones.
        stream: draws the grain, on the CPU.
    """
    if amount == 0:
        return image.clone()
    height, width = image.shape[-2:]
    silver = _clumps(torch.randn(1, height, width, generator=stream), size)
    grain = silver.expand(3, -1, -1)
    if colour > 0:
        dyes = _clumps(torch.randn(3, height, width, generator=stream), size)
        # Independent grains: their variances add up.
        grain = ((1 - colour) * silver + colour * dyes) / math.hypot(1 - colour, colour)
    covered = luminance(image).clamp(0, 1) ** 0.85
    strength = 0.1 * amount * (4 * covered * (1 - covered)).sqrt()
    return (image + grain.to(image.device) * strength).clamp(0, 1)


def _clumps(noise: Tensor, size: float) -> Tensor:
    """White noise to grain of unit variance: single grains, pairs, and loose clumps."""
    kernels = [_bell(size * width) for width in (0.45, 0.9, 2.0)]
    shares = [share / float((k**2).sum()) for share, k in zip((1.0, 0.7, 0.2), kernels, strict=True)]
    side = max(len(k) for k in kernels)
    whole = torch.zeros(side, side)
    for share, k in zip(shares, kernels, strict=True):
        whole += share * F.pad(torch.outer(k, k), ((side - len(k)) // 2,) * 4)
    total = sum(share * _blur(noise, k) for share, k in zip(shares, kernels, strict=True))
    return torch.as_tensor(total) / float((whole**2).sum().sqrt())


def _bell(sigma: float) -> Tensor:
    reach = max(1, round(3 * sigma))
    steps = torch.arange(-reach, reach + 1, dtype=torch.float32)
    weights = torch.exp(-0.5 * (steps / sigma) ** 2)
    return weights / weights.sum()


def _blur(image: Tensor, weights: Tensor) -> Tensor:
    reach = len(weights) // 2
    out = F.pad(image[:, None], (reach, reach, reach, reach), mode="replicate")
    return F.conv2d(F.conv2d(out, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))[:, 0]
