"""Fine structure of an image: edges, local contrast, Laplacian bands."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.blur import gaussian_blur
from artgen.imaging.image import enlarge, luminance, shrink
from artgen.style.palette import QuantileCurve

# Change of luminance per pixel below which even the strongest slopes are no edges.
MIN_EDGE_LUMINANCE_PER_PX = 0.03


def wide_gaussian_blur(image: Tensor, sigma: float) -> Tensor:
    """Blur pixels in ``[0, 1]`` by a large ``sigma``, approximately: on a reduced image."""
    reduction = max(1, int(sigma // 3))
    height, width = image.shape[-2:]
    if reduction == 1:
        return gaussian_blur(image, sigma)
    reduced = shrink(image, (max(1, height // reduction), max(1, width // reduction)))
    return enlarge(gaussian_blur(reduced, sigma / reduction), (height, width))


def edge_map(image: Tensor) -> Tensor:
    """Return the strength of edges, ``(1, H, W)`` in ``[0, 1]``; the strongest 5 % are 1.

    A blurred image has no edges, even if some of its slopes are stronger than others.
    """
    grey = luminance(image)
    horizontal_slope = F.pad(grey[..., 1:] - grey[..., :-1], (0, 1))
    vertical_slope = F.pad(grey[..., 1:, :] - grey[..., :-1, :], (0, 0, 0, 1))
    slope = gaussian_blur((horizontal_slope**2 + vertical_slope**2).sqrt(), 1.5)
    sample = slope.flatten()[:: max(1, slope.numel() // 200_000)]
    return (slope / sample.quantile(0.95).clamp_min(MIN_EDGE_LUMINANCE_PER_PX)).clamp(0, 1)


def equalise_local_contrast(image: Tensor, amount: float) -> Tensor:
    """Equalise the local contrast of luminance: faint regions gain contrast, strong ones lose it.

    A neighbourhood is about 1/32 of the longer side. ``amount`` 0 changes nothing, 1 gives every
    neighbourhood the same contrast.
    """
    if amount == 0:
        return image
    sigma = max(1.0, min(max(image.shape[-2:]) / 32, min(image.shape[-2:]) / 8))
    grey = luminance(image)
    deviation = grey - wide_gaussian_blur(grey, sigma)
    local_contrast = (wide_gaussian_blur(deviation**2, sigma) + 4e-4).sqrt()
    equalised = deviation / local_contrast * deviation.pow(2).mean().sqrt()
    return (image + amount * (equalised - deviation)).clamp(0, 1)


def match_laplacian_bands(image: Tensor, style: Tensor, amount: float) -> Tensor:
    """Give an image the brush texture of ``style``: match histograms of three fine Laplacian bands.

    The average of overlapping patches is soft; this restores the crispness of the style.
    """
    # Channel by channel, to save memory with large images.
    channels = [
        _match_channel_bands(image[channel : channel + 1], style[channel : channel + 1], amount)
        for channel in range(len(image))
    ]
    return torch.cat(channels).clamp_(0, 1)


def _match_channel_bands(image: Tensor, style: Tensor, amount: float) -> Tensor:
    matched = torch.zeros_like(image)
    for sigma in (0.7, 1.4, 2.8):
        image_low, style_low = gaussian_blur(image, sigma), gaussian_blur(style, sigma)
        band = image - image_low
        curve = QuantileCurve.from_samples(band.flatten(), (style - style_low).flatten())
        matched += torch.lerp(band, curve(band), amount)
        image, style = image_low, style_low
    return image + matched
