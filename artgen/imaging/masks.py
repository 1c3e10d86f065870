"""Who is seen where: soft masks that share a picture out among several.

Masks are ``(k, 1, H, W)``, in [0, 1], and add up to one everywhere; ``mix`` lays pictures over each other
by them.
"""

from __future__ import annotations

import math
import random

import torch
import torch.nn.functional as F
from torch import Tensor

MODES = ("blend", "regions", "halves", "features")
# Parts of a face that fills its square as alignment leaves it, in the order in which they are laid on:
# ellipses by centre and half axes, in shares of width and height.
FEATURES = {
    "outline": ((0.50, 0.54, 0.37, 0.46),),  # all outside of it: hair, ears, ground
    "eyes": ((0.33, 0.44, 0.16, 0.10), (0.67, 0.44, 0.16, 0.10)),
    "nose": ((0.50, 0.57, 0.11, 0.16),),
    "mouth": ((0.50, 0.77, 0.20, 0.09),),
}
HARDEST = 0.03


def dirichlet(count: int, concentration: float, stream: random.Random) -> list[float]:
    """Positive weights that add up to one.

    Args:
        count: how many.
        concentration: small lets one dominate, 1 makes every division alike likely, large makes equals.
        stream: draws them.
    """
    drawn = [max(stream.gammavariate(concentration, 1.0), 1e-6) for _ in range(count)]
    return [value / sum(drawn) for value in drawn]


def masks(
    mode: str,
    weights: Tensor,
    size: tuple[int, int],
    stream: torch.Generator,
    *,
    softness: float = 0.3,
    shapes: float = 2.0,
) -> Tensor:
    """Masks ``(k, 1, H, W)`` that give each picture about its weight of the area.

    Args:
        mode: ``blend`` lays all over each other; ``regions`` gives each smooth shapes, ``halves`` a side or
            a sector at any angle; ``features`` gives eyes, nose, mouth or outline of a face to the others
            and leaves the rest to the first of the greatest weight.
        weights: ``(k,)``, adding up to one; a picture of weight 0 is not seen.
        size: ``(H, W)`` in px.
        stream: draws shapes, angles, features.
        softness: 0 (hard edges) to 1 (all in transition).
        shapes: how many shapes lie across, for ``regions``.
    """
    if mode == "blend" or len(weights) == 1:
        return weights.view(-1, 1, 1, 1).expand(-1, 1, *size)
    if mode == "features":
        return _features(weights, size, stream, softness)
    fields = (
        _shapes(len(weights), size, stream, shapes) if mode == "regions" else _sides(weights, size, stream)
    )
    return _shared_out(fields, weights, HARDEST + softness)


def mix(pictures: Tensor, masks: Tensor) -> Tensor:
    """``(k, C, H, W)`` as one picture ``(C, H, W)``."""
    return (pictures * masks).sum(0)


def _shared_out(fields: Tensor, weights: Tensor, softness: float) -> Tensor:
    """Each pixel to the picture of the highest field, softly, after handicaps that make the areas right."""
    fields = fields / fields.std().clamp_min(1e-3)
    fields = fields.masked_fill(weights.view(-1, 1, 1, 1) <= 0, -torch.inf)
    handicap = torch.zeros_like(weights)
    for _ in range(12):  # up the gradient of a concave function; steps of this length do not overshoot
        shared = torch.softmax((fields + handicap.view(-1, 1, 1, 1)) / softness, 0)
        handicap = handicap + (1 + softness) * (weights - shared.mean((1, 2, 3)))
    return torch.softmax((fields + handicap.view(-1, 1, 1, 1)) / softness, 0)


def _shapes(count: int, size: tuple[int, int], stream: torch.Generator, shapes: float) -> Tensor:
    cells = max(2, math.ceil(shapes) + 1)
    coarse = torch.randn(count, 1, cells, cells, generator=stream)
    return F.interpolate(coarse, size, mode="bicubic", align_corners=True)


def _sides(weights: Tensor, size: tuple[int, int], stream: torch.Generator) -> Tensor:
    """Planes that rise in directions evenly around the circle, from a drawn angle on."""
    y, x = _square(size)
    turn = float(torch.rand((), generator=stream)) * math.tau
    angles = [turn + math.tau * i / len(weights) for i in range(len(weights))]
    return torch.stack([math.cos(a) * x + math.sin(a) * y for a in angles])[:, None]


def _features(weights: Tensor, size: tuple[int, int], stream: torch.Generator, softness: float) -> Tensor:
    y, x = _square(size)
    shared = torch.zeros(len(weights), 1, *size)
    first = int(weights.argmax())
    shared[first] = 1.0
    # Each of the others gets one feature, in a drawn order; whose the remaining ones are, the weights say.
    others = [i for i in range(len(weights)) if i != first and weights[i] > 0]
    order = torch.randperm(len(FEATURES), generator=stream).tolist()
    drawn = torch.multinomial(weights, len(FEATURES), replacement=True, generator=stream).tolist()
    owners = dict(zip(order, others + drawn, strict=False))
    for number, (name, ellipses) in enumerate(FEATURES.items()):
        inside = torch.stack(
            [
                ((x - 2 * cx + 1) / (2 * rx)) ** 2 + ((y - 2 * cy + 1) / (2 * ry)) ** 2
                for cx, cy, rx, ry in ellipses
            ]
        )
        cover = torch.sigmoid((1 - inside.amin(0).sqrt()) / (HARDEST + 0.25 * softness))
        cover = 1 - cover if name == "outline" else cover
        shared = shared * (1 - cover)
        shared[owners[number]] += cover
    return shared


def _square(size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Rows' and columns' places from -1 to 1."""
    height, width = size
    rows, columns = ((torch.arange(n) + 0.5) * 2 / n - 1 for n in (height, width))
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return y, x
