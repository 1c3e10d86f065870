"""Random soft masks that divide an area among several images, and blending by such masks.

Masks are ``(k, 1, H, W)``, in [0, 1], and add up to one everywhere.
"""

from __future__ import annotations

import math
import random

import torch
import torch.nn.functional as F
from torch import Tensor

MASK_MODES = ("blend", "regions", "halves", "features")
# Parts of an aligned face that fills its square, in the order in which they are applied: ellipses as (x and y
# of the centre, half axes across and down), relative to width and height.
FACE_FEATURES = {
    "outline": ((0.50, 0.54, 0.37, 0.46),),  # everything outside the ellipse: hair, ears, background
    "eyes": ((0.33, 0.44, 0.16, 0.10), (0.67, 0.44, 0.16, 0.10)),
    "nose": ((0.50, 0.57, 0.11, 0.16),),
    "mouth": ((0.50, 0.77, 0.20, 0.09),),
}
MIN_MASK_SOFTNESS = 0.03


def draw_dirichlet_weights(count: int, concentration: float, rng: random.Random) -> list[float]:
    """Draw the weights of blended images: positive, with a sum of 1, symmetric Dirichlet.

    Args:
        count: the number of weights.
        concentration: below 1 one weight dominates, at 1 every division is equally likely, and large values
            make nearly equal weights.
        rng: draws the weights.
    """
    gammas = [max(rng.gammavariate(concentration, 1.0), 1e-6) for _ in range(count)]
    return [gamma / sum(gammas) for gamma in gammas]


def draw_masks(
    mode: str,
    weights: Tensor,
    size: tuple[int, int],
    generator: torch.Generator,
    *,
    softness: float = 0.3,
    shapes_across: float = 2.0,
) -> Tensor:
    """Draw masks ``(k, 1, H, W)`` that give each image a share of the area close to its weight.

    Args:
        mode: ``blend`` gives each image its weight at every pixel; ``regions`` gives it smooth shapes;
            ``halves`` gives it a side or a sector at any angle; ``features`` gives the eyes, nose, mouth or
            outline of a face to the other images and everything else to the image of the greatest weight.
        weights: ``(k,)``, adding up to one; an image of weight 0 is not visible.
        size: ``(H, W)`` in px.
        generator: draws shapes, angles and features.
        softness: 0 (hard edges) to 1 (everything is in transition).
        shapes_across: how many shapes fit across the area, for ``regions``.
    """
    if mode == "blend" or len(weights) == 1:
        return weights.view(-1, 1, 1, 1).expand(-1, 1, *size)
    if mode == "features":
        return _face_feature_masks(weights, size, generator, softness)
    fields = (
        random_shape_fields(len(weights), size, generator, shapes_across)
        if mode == "regions"
        else _random_sector_fields(weights, size, generator)
    )
    return _divide_by_fields(fields, weights, MIN_MASK_SOFTNESS + softness)


def blend_by_masks(images: Tensor, masks: Tensor) -> Tensor:
    """Blend images ``(k, C, H, W)`` by masks ``(k, 1, H, W)`` into one ``(C, H, W)``."""
    return (images * masks).sum(0)


def _divide_by_fields(fields: Tensor, weights: Tensor, softness: float) -> Tensor:
    """Give each pixel softly to the highest field, after biases that make the areas match the weights."""
    fields = fields / fields.std().clamp_min(1e-3)
    fields = fields.masked_fill(weights.view(-1, 1, 1, 1) <= 0, -torch.inf)
    biases = torch.zeros_like(weights)
    for _ in range(12):  # gradient ascent on a concave function; steps of this length do not overshoot
        masks = torch.softmax((fields + biases.view(-1, 1, 1, 1)) / softness, 0)
        biases = biases + (1 + softness) * (weights - masks.mean((1, 2, 3)))
    return torch.softmax((fields + biases.view(-1, 1, 1, 1)) / softness, 0)


def random_shape_fields(
    count: int, size: tuple[int, int], generator: torch.Generator, shapes_across: float
) -> Tensor:
    """Return smooth noise, ``(count, 1, H, W)``, with about ``shapes_across`` shapes across the area."""
    cells = max(2, math.ceil(shapes_across) + 1)
    noise = torch.randn(count, 1, cells, cells, generator=generator)
    return F.interpolate(noise, size, mode="bicubic", align_corners=True)


def _random_sector_fields(weights: Tensor, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Return fields for sector masks: planes that rise in evenly spaced directions."""
    y, x = _centred_coordinates(size)
    first_angle = float(torch.rand((), generator=generator)) * math.tau
    angles = [first_angle + math.tau * i / len(weights) for i in range(len(weights))]
    return torch.stack([math.cos(a) * x + math.sin(a) * y for a in angles])[:, None]


def _face_feature_masks(
    weights: Tensor, size: tuple[int, int], generator: torch.Generator, softness: float
) -> Tensor:
    y, x = _centred_coordinates(size)
    masks = torch.zeros(len(weights), 1, *size)
    main_image = int(weights.argmax())
    masks[main_image] = 1.0
    # Each of the other images gets one feature, in a drawn order; the remaining ones are drawn by weight.
    other_images = [i for i in range(len(weights)) if i != main_image and weights[i] > 0]
    order = torch.randperm(len(FACE_FEATURES), generator=generator).tolist()
    drawn_images = torch.multinomial(
        weights, len(FACE_FEATURES), replacement=True, generator=generator
    ).tolist()
    image_by_feature = dict(zip(order, other_images + drawn_images, strict=False))
    for number, (name, ellipses) in enumerate(FACE_FEATURES.items()):
        squared_distances = torch.stack(
            [
                ((x - 2 * cx + 1) / (2 * rx)) ** 2 + ((y - 2 * cy + 1) / (2 * ry)) ** 2
                for cx, cy, rx, ry in ellipses
            ]
        )
        feature = torch.sigmoid(
            (1 - squared_distances.amin(0).sqrt()) / (MIN_MASK_SOFTNESS + 0.25 * softness)
        )
        feature = 1 - feature if name == "outline" else feature
        masks = masks * (1 - feature)
        masks[image_by_feature[number]] += feature
    return masks


def _centred_coordinates(size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return the positions of a mask's rows and columns, both ``(H, W)``, from -1 to 1."""
    height, width = size
    rows, columns = ((torch.arange(n) + 0.5) * 2 / n - 1 for n in (height, width))
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return y, x
