"""Random compositions: crops of images, mixed by soft masks and recoloured.

The images are small (tens of pixels) and on the CPU; every choice comes from the given random generators.
"""

from __future__ import annotations

import math
import random

import torch
from torch import Tensor

from artgen.imaging import color
from artgen.imaging.image import luminance, resize, shrink
from artgen.imaging.masks import random_shape_fields

# Chroma in OKLab of a strong pigment; screens reach 0.3.
MAX_PIGMENT_CHROMA = 0.23


def random_crop(image: Tensor, size: int, side_range: tuple[float, float], rng: random.Random) -> Tensor:
    """Return a random square of an image, resized to ``(3, size, size)``.

    Args:
        image: ``(3, H, W)``.
        size: side of the result in px.
        side_range: the square's smallest and largest side, relative to the image's short side; drawn
            log-uniformly.
        rng: draws the square's side and position.
    """
    height, width = image.shape[-2:]
    relative_side = math.exp(rng.uniform(*map(math.log, side_range)))
    side = max(1, min(height, width, max(round(min(height, width) * relative_side), size)))
    top, left = rng.randint(0, height - side), rng.randint(0, width - side)
    return resize(image[:, top : top + side, left : left + side], (size, size))


def measure_boldness(image: Tensor) -> float:
    """Measure how far large light and dark areas outweigh fine detail in a square image.

    The measure is the standard deviation of luma at an eighth of the size, less half the standard deviation
    of the detail that is lost at a quarter of the size.
    """
    luma = luminance(image)
    side = image.shape[-1]
    coarse, medium = (shrink(luma, (max(2, side // factor),) * 2) for factor in (8, 4))
    detail = luma - resize(medium, (side, side))
    return float(coarse.std(correction=0) - 0.5 * detail.std(correction=0))


def random_soft_mask(size: int, generator: torch.Generator, shapes_across: float, softness: float) -> Tensor:
    """Return a smooth random mask ``(1, size, size)`` in ``[0, 1]`` that covers about half of the square.

    Args:
        size: side in px.
        generator: draws the shapes.
        shapes_across: how many shapes fit across the square, 1 (two halves) to about 6.
        softness: width of the transition relative to the noise's deviation; near 0 gives hard edges.
    """
    field = random_shape_fields(1, (size, size), generator, shapes_across)[0]
    field = (field - field.median()) / field.std().clamp_min(1e-3)
    return torch.sigmoid(field / max(softness, 1e-3))


def random_flip(image: Tensor, rng: random.Random) -> Tensor:
    """Return one of the eight flips and quarter turns of a square image, drawn at random."""
    if rng.random() < 0.5:
        image = image.flip(-1)
    return torch.rot90(image, rng.randrange(4), (-2, -1))


def random_palette(rng: random.Random) -> tuple[Tensor, Tensor]:
    """Draw a colour palette as mean ``(3,)`` and covariance ``(3, 3)`` in OKLab.

    It has five weighted colours around two or three related hues: a dark one, a main colour, its
    counterpart, a light one and an accent.
    """
    base_hue = rng.random() * math.tau
    hue_step = rng.choice([0.5, 0.9, 2.4, math.pi, 3.8]) * rng.choice([-1, 1])
    chroma = rng.uniform(0.09, 0.18)
    dark_weight = rng.uniform(0.2, 0.5)
    # Lightness, chroma, hue in radians, weight.
    colours = [
        (rng.uniform(0.08, 0.22), 0.5 * chroma, base_hue, dark_weight),
        (rng.uniform(0.36, 0.52), 1.1 * chroma, base_hue + 0.3 * hue_step, 0.25),
        (rng.uniform(0.52, 0.70), 1.2 * chroma, base_hue + hue_step, 0.25),
        (rng.uniform(0.90, 0.98), 0.4 * chroma, base_hue + hue_step, 0.55 - dark_weight),
        (rng.uniform(0.60, 0.75), 1.9 * chroma, base_hue + 1.4 * hue_step, 0.08),
    ]
    weights = torch.tensor([weight for *_, weight in colours])
    weights = weights / weights.sum()
    lab_colours = torch.tensor(
        [[lightness, c * math.cos(hue), c * math.sin(hue)] for lightness, c, hue, _ in colours]
    )
    mean = weights @ lab_colours
    deviations = lab_colours - mean
    return mean, (weights[:, None] * deviations).T @ deviations + 1e-5 * torch.eye(3)


def recolour(image: Tensor, mean: Tensor, covariance: Tensor, amount: float) -> Tensor:
    """Move an sRGB image's colours towards a palette.

    Args:
        image: ``(3, H, W)`` in [0, 1].
        mean: of the palette in OKLab, ``(3,)``.
        covariance: of the palette in OKLab, ``(3, 3)``.
        amount: 0 (unchanged) to 1 (all the way).
    """
    lab = color.to_oklab(color.to_linear(image))
    recoloured = lab + amount * (color.match_colour_statistics(lab, mean, covariance) - lab)
    return color.to_srgb(color.desaturate_into_gamut(color.from_oklab(_limit_chroma(recoloured))))


def raise_contrast(image: Tensor, deviation: float) -> Tensor:
    """Raise an image's deviation of OKLab lightness to ``deviation``, softly limited at black and white."""
    lab = color.to_oklab(color.to_linear(image))
    lightness = lab[0]
    gain = min(6.0, max(1.0, deviation / max(float(lightness.std(correction=0)), 1e-3)))
    middle = 0.5 * float(lightness.mean()) + 0.27
    amplified = (lightness - lightness.mean()) * gain
    headroom = torch.where(amplified > 0, 0.985 - middle, middle - 0.03)
    limited = middle + headroom * torch.tanh(amplified / headroom)
    lab = torch.cat([limited[None], lab[1:] * (0.5 + 0.5 * min(gain, 2.0))])
    return color.to_srgb(color.desaturate_into_gamut(color.from_oklab(_limit_chroma(lab))))


def harmonise_colours(images: Tensor, weights: Tensor, amount: float) -> Tensor:
    """Move the colours of several images towards their common palette.

    The common palette is the weighted average of the images' means and covariances in OKLab.

    Args:
        images: ``(k, 3, H, W)`` in [0, 1].
        weights: ``(k,)``, adding up to one.
        amount: 0 (unchanged) to 1 (all the way).
    """
    if amount == 0 or len(images) == 1:
        return images
    palettes = [color.colour_statistics(color.to_oklab(color.to_linear(picture))) for picture in images]
    shared = zip(weights, palettes, strict=True)
    mean, covariance = (sum(parts) for parts in zip(*((w * m, w * c) for w, (m, c) in shared), strict=True))
    return torch.stack([recolour(picture, mean, covariance, amount) for picture in images])


def _limit_chroma(lab: Tensor) -> Tensor:
    """Limit the chroma of an OKLab image softly, so that no pixel is too colourful."""
    chroma = lab[1:].norm(dim=0, keepdim=True).clamp_min(1e-6)
    return torch.cat(
        [lab[:1], lab[1:] * (MAX_PIGMENT_CHROMA * torch.tanh(chroma / MAX_PIGMENT_CHROMA) / chroma)]
    )
