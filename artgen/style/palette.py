"""Giving one picture the colours of another."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import luminance

KNOTS = 257
LATTICE = 33
SAMPLES = 16_384
FEWEST = 64  # pixels that tell of a region's colours


@dataclass(frozen=True)
class Curve:
    """A monotone map of values that gives one distribution the shape of another: quantile to quantile."""

    source: Tensor
    target: Tensor

    @classmethod
    def between(cls, source: Tensor, target: Tensor) -> Curve:
        """The curve from the distribution of ``source`` to that of ``target`` (both one-dimensional)."""
        knots = _quantiles(source)
        # Values that many pixels share go to the middle of their range, not to its start.
        spread = torch.arange(KNOTS, device=knots.device) - KNOTS // 2
        return cls(knots + 1e-6 * spread, _quantiles(target))

    def __call__(self, values: Tensor) -> Tensor:
        """Map ``values``, of any shape; outside the source's range they go to the target's ends."""
        knots = self.source
        values = values.contiguous()
        low = torch.searchsorted(knots, values)
        lower = (low - 1).clamp_(0, KNOTS - 2)
        start = knots[lower]
        fraction = ((values - start) / (knots[lower + 1] - start).clamp_min_(1e-9)).clamp_(0, 1)
        return torch.lerp(self.target[lower], self.target[lower + 1], fraction)


def _quantiles(values: Tensor) -> Tensor:
    ordered = values[:: max(1, len(values) // SAMPLES)].sort().values
    at = torch.linspace(0, len(ordered) - 1, KNOTS, device=values.device)
    below = at.floor().long()
    above = (below + 1).clamp_(max=len(ordered) - 1)
    return torch.lerp(ordered[below], ordered[above], at - below)


def _colours(image: Tensor, among: Tensor | None) -> Tensor:
    """Those of ``(3, H, W)``, or of where ``among`` ``(1, H, W)`` is more than a half: ``(3, N)``."""
    colours = image.flatten(1)
    if among is None:
        return colours
    meant = colours[:, among.flatten() > 0.5]
    return meant if meant.shape[1] >= FEWEST else colours


def linear_map(image: Tensor, reference: Tensor, amount: float = 1.0, among: Tensor | None = None) -> Tensor:
    """The linear Monge-Kantorovich map of ``image``'s colours onto those of ``reference``.

    Smooth, so faces stay free of the blotches that a whole palette transfer can cause
    (Pitie and Kokaram 2007).

    Args:
        image: ``(3, H, W)`` in ``[0, 1]``.
        reference: ``(3, M)`` colours.
        amount: 0 leaves the image, 1 maps it wholly.
        among: ``(1, H, W)``: the map is found from where this is more than a half.
    """
    colours = _colours(image, among)
    mean, wanted_mean = colours.mean(1, keepdim=True), reference.mean(1, keepdim=True)
    covariance, wanted = _covariance(colours - mean), _covariance(reference - wanted_mean)
    root, inverse = _power(covariance, 0.5), _power(covariance, -0.5)
    matrix = inverse @ _power(root @ wanted @ root, 0.5) @ inverse
    mapped = (matrix @ (image.flatten(1) - mean) + wanted_mean).view_as(image)
    return torch.lerp(image, mapped, amount).clamp_(0, 1)


def _covariance(centred: Tensor) -> Tensor:
    return centred @ centred.T / centred.shape[1] + 1e-5 * torch.eye(3, device=centred.device)


def _power(matrix: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    power: Tensor = (vectors * values.clamp_min(1e-9) ** exponent) @ vectors.T
    return power


def transfer_palette(
    image: Tensor,
    reference: Tensor,
    generator: torch.Generator,
    *,
    turns: int,
    amount: float,
    among: Tensor | None = None,
) -> Tensor:
    """Iterative distribution transfer (Pitie, Kokaram and Dahyot 2007), part of the way.

    In ``turns`` random rotations of colour space each axis is given the reference's distribution.
    The map is found on a sample of colours and carried to the image by a lattice of
    ``LATTICE`` cubed colours, so its cost hardly depends on the image's size.

    Args:
        image: ``(3, H, W)`` in ``[0, 1]``.
        reference: ``(3, M)`` colours.
        generator: source of the rotations, on the CPU.
        turns: how many rotations.
        amount: 0 leaves the image, 1 gives it the reference's distribution.
        among: ``(1, H, W)``: the map is found from where this is more than a half.
    """
    device = image.device
    colours = _colours(image, among)
    colours = colours[:, :: max(1, colours.shape[1] // SAMPLES)]
    axis = torch.linspace(0, 1, LATTICE, device=device)
    lattice = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij")).flatten(1)
    moved = torch.cat([colours, lattice], 1)
    count = colours.shape[1]
    for _ in range(turns):
        turn = torch.linalg.qr(torch.randn(3, 3, generator=generator))[0].to(device)
        turned, wanted = turn @ moved, turn @ reference
        for row in range(3):
            turned[row] = Curve.between(turned[row, :count], wanted[row])(turned[row])
        moved = turn.T @ turned
    table = torch.lerp(lattice, moved[:, count:], amount).view(3, LATTICE, LATTICE, LATTICE)
    return look_up(image, table).clamp_(0, 1)


def look_up(image: Tensor, table: Tensor) -> Tensor:
    """Map colours through a ``(3, n, n, n)`` table indexed by red, green, blue, trilinearly."""
    # grid_sample wants (x, y, z), innermost axis first: blue, green, red.
    places = image.flip(0).permute(1, 2, 0)[None, None] * 2 - 1
    return F.grid_sample(table[None], places, mode="bilinear", padding_mode="border", align_corners=True)[
        0, :, 0
    ]


def replace_luminance(colour: Tensor, grey: Tensor) -> Tensor:
    """Give ``colour`` ``(3, H, W)`` the luminance ``grey`` ``(1, H, W)``; hue stays.

    Where the new luminance leaves no room for the old saturation, saturation gives way.
    """
    old = luminance(colour)
    chroma = colour - old
    grey = grey.clamp(0, 1)
    room_up = (1 - grey) / chroma.amax(0, keepdim=True).clamp_min(1e-6)
    room_down = grey / (-chroma.amin(0, keepdim=True)).clamp_min(1e-6)
    return (grey + chroma * torch.minimum(room_up, room_down).clamp_(max=1)).clamp_(0, 1)
