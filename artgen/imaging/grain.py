"""Film grain, simulated by noise that depends on the tone."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.blur import blur_separably, gaussian_kernel
from artgen.imaging.image import luminance


def add_grain(image: Tensor, amount: float, size: float, colour: float, generator: torch.Generator) -> Tensor:
    """Add film grain to an image.

    Grains are opaque specks thrown at random (Newson et al. 2017, "A stochastic film grain model"),
    so the variance where they cover a share ``t`` is ``t (1 - t)``: most in the middle tones, nothing
    in pure black and white. Their sum is approximated by smoothed Gaussian noise of three widths.

    Args:
        image: ``(3, H, W)``, sRGB, ``[0, 1]``.
        amount: gives the standard deviation in the middle tones, ``0.1 * amount``.
        size: width of a grain in px.
        colour: 0 gives every channel the same grain, 1 independent ones.
        generator: draws the grain, on the CPU.
    """
    if amount == 0:
        return image.clone()
    height, width = image.shape[-2:]
    grey_grain = _shape_grains(torch.randn(1, height, width, generator=generator), size)
    grain = grey_grain.expand(3, -1, -1)
    if colour > 0:
        colour_grain = _shape_grains(torch.randn(3, height, width, generator=generator), size)
        # Independent grains: their variances add up.
        grain = ((1 - colour) * grey_grain + colour * colour_grain) / math.hypot(1 - colour, colour)
    coverage = luminance(image).clamp(0, 1) ** 0.85
    strength = 0.1 * amount * (4 * coverage * (1 - coverage)).sqrt()
    return (image + grain.to(image.device) * strength).clamp(0, 1)


def _shape_grains(noise: Tensor, size: float) -> Tensor:
    """Turn white noise ``(C, H, W)`` into grain of unit variance: single grains, pairs and loose clumps."""
    kernels = [gaussian_kernel(size * width) for width in (0.45, 0.9, 2.0)]
    shares = [share / float((k**2).sum()) for share, k in zip((1.0, 0.7, 0.2), kernels, strict=True)]
    side = max(len(k) for k in kernels)
    combined_kernel = torch.zeros(side, side, dtype=torch.float64)
    grain = torch.zeros_like(noise)
    for share, kernel in zip(shares, kernels, strict=True):
        combined_kernel += share * F.pad(torch.outer(kernel, kernel), ((side - len(kernel)) // 2,) * 4)
        grain.add_(blur_separably(noise, kernel), alpha=share)
    return grain.div_(float((combined_kernel**2).sum().sqrt()))
