"""Detail of a picture: blur, edges, local contrast, fine bands."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import enlarge, luminance, shrink
from artgen.style.palette import Curve

# Luminance per pixel below which the strongest slopes are no edge.
FAINTEST = 0.03


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
    """Where the picture has edges: ``(1, H, W)`` in ``[0, 1]``, 1 at its strongest twentieth.

    A blurred picture has no edges, however much stronger some of its slopes are than others.
    """
    grey = luminance(image)
    across = F.pad(grey[..., 1:] - grey[..., :-1], (0, 1))
    down = F.pad(grey[..., 1:, :] - grey[..., :-1, :], (0, 0, 0, 1))
    strength = blur((across**2 + down**2).sqrt(), 1.5)
    sample = strength.flatten()[:: max(1, strength.numel() // 200_000)]
    return (strength / sample.quantile(0.95).clamp_min(FAINTEST)).clamp(0, 1)


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
    # Channel by channel: a large picture's bands need not all be held at once.
    channels = [_match_channel(image[c : c + 1], style[c : c + 1], amount) for c in range(len(image))]
    return torch.cat(channels).clamp_(0, 1)


def _match_channel(image: Tensor, style: Tensor, amount: float) -> Tensor:
    matched = torch.zeros_like(image)
    for sigma in (0.7, 1.4, 2.8):
        image_low, style_low = blur(image, sigma), blur(style, sigma)
        band = image - image_low
        curve = Curve.between(band.flatten(), (style - style_low).flatten())
        matched += torch.lerp(band, curve(band), amount)
        image, style = image_low, style_low
    return image + matched
