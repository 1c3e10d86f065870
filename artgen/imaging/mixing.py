"""Composition by chance: pieces of pictures, mixed by soft masks and re-coloured.

Everything here is small (tens of pixels) and on the CPU; every choice comes from the given streams.
"""

from __future__ import annotations

import math
import random

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging import color
from artgen.imaging.image import luminance, resize, shrink

# OKLab chroma of a strong pigment; screens reach 0.3.
LOUDEST = 0.23


def window(image: Tensor, size: int, share: tuple[float, float], stream: random.Random) -> Tensor:
    """A random square of an image, reduced to ``(3, size, size)``.

    Args:
        image: ``(3, H, W)``.
        size: side of the result in px.
        share: range of the square's side, relative to the image's short side; drawn log-uniformly.
        stream: draws side and place.
    """
    height, width = image.shape[-2:]
    drawn = math.exp(stream.uniform(*map(math.log, share)))
    side = max(1, min(height, width, max(round(min(height, width) * drawn), size)))
    top, left = stream.randint(0, height - side), stream.randint(0, width - side)
    return resize(image[:, top : top + side, left : left + side], (size, size))


def boldness(image: Tensor) -> float:
    """How far large masses of light and dark outweigh busy detail.

    Standard deviation of luma at an eighth of the size, less half of that of the detail between a
    quarter and the whole.
    """
    luma = luminance(image)
    side = image.shape[-1]
    coarse, middle = (shrink(luma, (max(2, side // k),) * 2) for k in (8, 4))
    detail = luma - resize(middle, (side, side))
    return float(coarse.std(correction=0) - 0.5 * detail.std(correction=0))


def soft_mask(size: int, stream: torch.Generator, shapes: float, softness: float) -> Tensor:
    """A smooth random mask ``(1, size, size)`` in ``[0, 1]`` that covers about half of the square.

    Args:
        size: side in px.
        stream: draws the shapes.
        shapes: how many shapes lie across the square, 1 (two halves) to about 6.
        softness: width of the transition relative to the noise's spread; near 0 gives hard edges.
    """
    cells = max(2, math.ceil(shapes) + 1)
    field = torch.randn(1, 1, cells, cells, generator=stream)
    field = F.interpolate(field, (size, size), mode="bicubic", align_corners=True)[0]
    field = (field - field.median()) / field.std().clamp_min(1e-3)
    return torch.sigmoid(field / max(softness, 1e-3))


def flip(image: Tensor, stream: random.Random) -> Tensor:
    """One of the eight flips and quarter turns of a square image."""
    if stream.random() < 0.5:
        image = image.flip(-1)
    return torch.rot90(image, stream.randrange(4), (-2, -1))


def harmony(stream: random.Random) -> tuple[Tensor, Tensor]:
    """A palette by chance: mean ``(3,)`` and covariance ``(3, 3)`` in OKLab.

    Five weighted colours around two or three related hues: a deep shade, a ground, its counterpart, a
    light, an accent.
    """
    base = stream.random() * math.tau
    turn = stream.choice([0.5, 0.9, 2.4, math.pi, 3.8]) * stream.choice([-1, 1])
    chroma = stream.uniform(0.09, 0.18)
    night = stream.uniform(0.2, 0.5)
    colours = [
        (stream.uniform(0.08, 0.22), 0.5 * chroma, base, night),
        (stream.uniform(0.36, 0.52), 1.1 * chroma, base + 0.3 * turn, 0.25),
        (stream.uniform(0.52, 0.70), 1.2 * chroma, base + turn, 0.25),
        (stream.uniform(0.90, 0.98), 0.4 * chroma, base + turn, 0.55 - night),
        (stream.uniform(0.60, 0.75), 1.9 * chroma, base + 1.4 * turn, 0.08),
    ]
    weights = torch.tensor([weight for *_, weight in colours])
    weights = weights / weights.sum()
    points = torch.tensor([[light, c * math.cos(hue), c * math.sin(hue)] for light, c, hue, _ in colours])
    mean = weights @ points
    spread = points - mean
    return mean, (weights[:, None] * spread).T @ spread + 1e-5 * torch.eye(3)


def recolour(image: Tensor, mean: Tensor, covariance: Tensor, amount: float) -> Tensor:
    """Pull an sRGB image's colours towards a palette given in OKLab, 0 (not) to 1 (all the way)."""
    lab = color.to_oklab(color.to_linear(image))
    moved = lab + amount * (color.match_palette(lab, mean, covariance) - lab)
    return color.to_srgb(color.into_gamut(color.from_oklab(_calmed(moved))))


def stretch(image: Tensor, spread: float) -> Tensor:
    """Raise the standard deviation of OKLab lightness to ``spread``, softly limited at black and white."""
    lab = color.to_oklab(color.to_linear(image))
    light = lab[0]
    gain = min(6.0, max(1.0, spread / max(float(light.std(correction=0)), 1e-3)))
    middle = 0.5 * float(light.mean()) + 0.27
    moved = (light - light.mean()) * gain
    room = torch.where(moved > 0, 0.985 - middle, middle - 0.03)
    lifted = middle + room * torch.tanh(moved / room)
    lab = torch.cat([lifted[None], lab[1:] * (0.5 + 0.5 * min(gain, 2.0))])
    return color.to_srgb(color.into_gamut(color.from_oklab(_calmed(lab))))


def agreed(pictures: Tensor, weights: Tensor, amount: float) -> Tensor:
    """Pull the colours of ``(k, 3, H, W)`` towards their common palette, 0 (not) to 1 (all the way).

    Mean and covariance of colour are averaged by ``weights``, ``(k,)``, in OKLab.
    """
    if amount == 0 or len(pictures) == 1:
        return pictures
    palettes = [color.palette(color.to_oklab(color.to_linear(picture))) for picture in pictures]
    shared = zip(weights, palettes, strict=True)
    mean, covariance = (sum(parts) for parts in zip(*((w * m, w * c) for w, (m, c) in shared), strict=True))
    return torch.stack([recolour(picture, mean, covariance, amount) for picture in pictures])


def _calmed(lab: Tensor) -> Tensor:
    """Limit chroma softly, so that no pixel shouts."""
    chroma = lab[1:].norm(dim=0, keepdim=True).clamp_min(1e-6)
    return torch.cat([lab[:1], lab[1:] * (LOUDEST * torch.tanh(chroma / LOUDEST) / chroma)])
