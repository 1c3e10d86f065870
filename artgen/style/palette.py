"""Colour transfer: maps that give an image the colours of a reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.color import colour_statistics, match_colour_statistics
from artgen.imaging.image import luminance

QUANTILE_CURVE_KNOTS, QUANTILE_CURVE_NODES = 257, 4096
COLOUR_TABLE_SIDE = 33
MAX_QUANTILE_VALUES = 16_384
MIN_COLOUR_VARIANCE = 1e-5
MIN_REGION_PIXELS = 64  # in smaller regions the colours of the whole image are used


@dataclass(frozen=True)
class QuantileCurve:
    """Histogram matching: a monotone map from the quantiles of one image's values to another's.

    A table at evenly spaced values takes a tenth of the time of a search among the quantiles. Zero is one of
    them, because of a band of fine detail most values can be exactly that.

    Attributes:
        spacing: distance between the values of the table.
        first_node: the first value of the table in units of ``spacing``; a whole number.
        table: ``(QUANTILE_CURVE_NODES,)``, rising.
    """

    spacing: Tensor
    first_node: Tensor
    table: Tensor

    @classmethod
    def from_samples(cls, source: Tensor, target: Tensor) -> QuantileCurve:
        """Return the histogram matching curve from values ``source`` to ``target``, both ``(N,)``."""
        knots, target_knots = _quantiles(source), _quantiles(target)
        # A value that many pixels share is mapped to the middle of its target range, not to the start.
        knots = knots + 1e-6 * (
            torch.arange(QUANTILE_CURVE_KNOTS, device=knots.device) - QUANTILE_CURVE_KNOTS // 2
        )
        spacing = (knots[-1] - knots[0]) / (QUANTILE_CURVE_NODES - 2)
        first_node = (knots[0] / spacing).floor()
        nodes = (torch.arange(QUANTILE_CURVE_NODES, device=knots.device) + first_node) * spacing
        interval = (torch.searchsorted(knots, nodes) - 1).clamp_(0, QUANTILE_CURVE_KNOTS - 2)
        start = knots[interval]
        fraction = ((nodes - start) / (knots[interval + 1] - start).clamp_min_(1e-9)).clamp_(0, 1)
        return cls(
            spacing, first_node, torch.lerp(target_knots[interval], target_knots[interval + 1], fraction)
        )

    def __call__(self, values: Tensor) -> Tensor:
        """Match values of any shape to the target's histogram; beyond the source range they are clamped."""
        positions = (
            (values.flatten() / self.spacing).sub_(self.first_node).clamp_(0, QUANTILE_CURVE_NODES - 1.001)
        )
        nodes = positions.int()
        below, above = self.table.index_select(0, nodes), self.table[1:].index_select(0, nodes)
        return torch.lerp(below, above, positions.sub_(nodes)).view(values.shape)


def _quantiles(values: Tensor) -> Tensor:
    """Return ``QUANTILE_CURVE_KNOTS`` evenly spaced quantiles ``(knots,)`` of a sample of ``(N,)`` values."""
    sample = values[:: max(1, len(values) // MAX_QUANTILE_VALUES)]
    # NumPy sorts floats twenty times as fast as torch, which keeps their indices, too.
    sorted_values = torch.from_numpy(np.sort(sample.cpu().numpy())).to(values.device)
    positions = torch.linspace(0, len(sorted_values) - 1, QUANTILE_CURVE_KNOTS, device=values.device)
    below = positions.floor().long()
    above = (below + 1).clamp_(max=len(sorted_values) - 1)
    return torch.lerp(sorted_values[below], sorted_values[above], positions - below)


def _region_colours(image: Tensor, region: Tensor | None) -> Tensor:
    """Return the colours ``(3, N)`` of a painting or of its masked region."""
    colours = image.flatten(1)
    if region is None:
        return colours
    inside = colours[:, region.flatten() > 0.5]
    return inside if inside.shape[1] >= MIN_REGION_PIXELS else colours


def match_colours_linearly(
    image: Tensor, reference: Tensor, amount: float = 1.0, region: Tensor | None = None
) -> Tensor:
    """Map the colours of ``image`` onto those of ``reference`` by the linear Monge-Kantorovich map.

    The map is smooth, so faces get none of the blotches that a full palette transfer can cause
    (Pitie and Kokaram 2007).

    Args:
        image: ``(3, H, W)`` in ``[0, 1]``.
        reference: ``(3, M)`` colours.
        amount: 0 leaves the image unchanged, 1 maps it fully.
        region: ``(1, H, W)``: only colours where this is above 0.5 determine the map.
    """
    statistics = colour_statistics(_region_colours(image, region), MIN_COLOUR_VARIANCE)
    mapped = match_colour_statistics(image, *colour_statistics(reference, MIN_COLOUR_VARIANCE), statistics)
    return torch.lerp(image, mapped, amount).clamp_(0, 1)


def transfer_palette(
    image: Tensor,
    reference: Tensor,
    generator: torch.Generator,
    *,
    rotations: int,
    amount: float,
    region: Tensor | None = None,
) -> Tensor:
    """Move the colours of ``image`` towards the distribution of ``reference``.

    Iterative distribution transfer (Pitie, Kokaram and Dahyot 2007): in each of several random rotations of
    colour space every axis gets the distribution of the reference. The map is computed for a sample of
    colours and for a table of ``COLOUR_TABLE_SIDE`` cubed colours, which is then applied to the image, so
    that the cost hardly depends on the size of the image.

    Args:
        image: ``(3, H, W)`` in ``[0, 1]``.
        reference: ``(3, M)`` colours.
        generator: draws the rotations, on the CPU.
        rotations: number of rotations.
        amount: 0 leaves the image unchanged, 1 gives it the distribution of the reference.
        region: ``(1, H, W)``: only colours where this is above 0.5 determine the map.
    """
    device = image.device
    colours = _region_colours(image, region)
    colours = colours[:, :: max(1, colours.shape[1] // MAX_QUANTILE_VALUES)]
    axis = torch.linspace(0, 1, COLOUR_TABLE_SIDE, device=device)
    lattice = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij")).flatten(1)
    moved = torch.cat([colours, lattice], 1)
    count = colours.shape[1]
    for _ in range(rotations):
        rotation = torch.linalg.qr(torch.randn(3, 3, generator=generator))[0].to(device)
        rotated, rotated_reference = rotation @ moved, rotation @ reference
        for axis_index in range(3):
            rotated[axis_index] = QuantileCurve.from_samples(
                rotated[axis_index, :count], rotated_reference[axis_index]
            )(rotated[axis_index])
        moved = rotation.T @ rotated
    table = torch.lerp(lattice, moved[:, count:], amount).view(
        3, COLOUR_TABLE_SIDE, COLOUR_TABLE_SIDE, COLOUR_TABLE_SIDE
    )
    return apply_colour_table(image, table).clamp_(0, 1)


def apply_colour_table(image: Tensor, table: Tensor) -> Tensor:
    """Map colours through a ``(3, n, n, n)`` table indexed by red, green, blue, trilinearly."""
    # grid_sample takes (x, y, z), innermost axis first: blue, green, red.
    sample_positions = image.flip(0).permute(1, 2, 0)[None, None] * 2 - 1
    return F.grid_sample(
        table[None], sample_positions, mode="bilinear", padding_mode="border", align_corners=True
    )[0, :, 0]


def replace_luminance(colour: Tensor, grey: Tensor) -> Tensor:
    """Give ``colour`` ``(3, H, W)`` the luminance ``grey`` ``(1, H, W)`` and keep its hue.

    Saturation is reduced where the new luminance leaves no room for it.
    """
    old_grey = luminance(colour)
    chroma = colour - old_grey
    grey = grey.clamp(0, 1)
    room_up = (1 - grey) / chroma.amax(0, keepdim=True).clamp_min(1e-6)
    room_down = grey / (-chroma.amin(0, keepdim=True)).clamp_min(1e-6)
    return (grey + chroma * torch.minimum(room_up, room_down).clamp_(max=1)).clamp_(0, 1)
