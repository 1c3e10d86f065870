"""Detail of a picture: blur, edges, local contrast, fine bands."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import enlarge, luminance, shrink
from artgen.style.palette import Curve


def blur(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of ``(C, H, W)``; the border is continued. ``sigma`` in px, kernel of three sigma."""
    radius = max(1, int(3 * sigma))
    at = torch.arange(-radius, radius + 1, dtype=image.dtype, device=image.device)
    kernel = torch.exp(-at * at / (2 * sigma * sigma))
    kernel = (kernel / kernel.sum()).view(1, 1, -1, 1)
    padded = F.pad(image[None], (radius, radius, radius, radius), mode="replicate")[0, :, None]
    return F.conv2d(F.conv2d(padded, kernel), kernel.transpose(2, 3))[:, 0]


def wide_blur(image: Tensor, sigma: float) -> Tensor:
    """As :func:`blur` for values in ``[0, 1]`` and large ``sigma``: done on a smaller picture."""
    factor = max(1, int(sigma // 3))
    height, width = image.shape[-2:]
    if factor == 1:
        return blur(image, sigma)
    small = shrink(image, (max(1, height // factor), max(1, width // factor)))
    return enlarge(blur(small, sigma / factor), (height, width))


def edge_map(image: Tensor) -> Tensor:
    """Where the picture has edges: ``(1, H, W)`` in ``[0, 1]``, 1 at its strongest twentieth."""
    grey = luminance(image)
    across = F.pad(grey[..., 1:] - grey[..., :-1], (0, 1))
    down = F.pad(grey[..., 1:, :] - grey[..., :-1, :], (0, 0, 0, 1))
    strength = blur((across**2 + down**2).sqrt(), 1.5)
    sample = strength.flatten()[:: max(1, strength.numel() // 200_000)]
    return (strength / (sample.quantile(0.95) + 1e-6)).clamp(0, 1)


def raise_local_contrast(image: Tensor, amount: float) -> Tensor:
    """Even out the contrast of luminance over the picture: faint regions gain, strong ones lose.

    The neighbourhood is a thirty-second of the longer side. ``amount`` 0 changes nothing, 1 gives
    every neighbourhood the same contrast.
    """
    if amount == 0:
        return image
    sigma = max(1.0, min(max(image.shape[-2:]) / 32, min(image.shape[-2:]) / 8))
    grey = luminance(image)
    deviation = grey - wide_blur(grey, sigma)
    local = (wide_blur(deviation**2, sigma) + 4e-4).sqrt()
    evened = deviation / local * deviation.pow(2).mean().sqrt()
    return (image + amount * (evened - deviation)).clamp(0, 1)


def match_fine_bands(image: Tensor, style: Tensor, amount: float) -> Tensor:
    """Give the finest three Laplacian bands of ``image`` the histogram of the style's.

    Averaging overlapping patches softens; this brings back the style's crispness.
    """
    detail = torch.zeros_like(image)
    for sigma in (0.7, 1.4, 2.8):
        image_low, style_low = blur(image, sigma), blur(style, sigma)
        band, wanted = image - image_low, style - style_low
        for channel in range(len(band)):
            matched = Curve.between(band[channel].flatten(), wanted[channel].flatten())(band[channel])
            band[channel] += amount * (matched - band[channel])
        detail += band
        image, style = image_low, style_low
    return (image + detail).clamp_(0, 1)
