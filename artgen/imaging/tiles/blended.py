"""Blended tiling: overlapping tiles for networks that accept only one size, or see further than any halo.

The tiles form an even grid, and their weights sum to one at every px. Low frequencies blend linearly. Detail
is divided by the root of the summed squared weights, which keeps its variance: the mean of two independent
inventions would have 0.71 of their contrast and show as a soft band.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.tiles.bands import BandReader, BandWriter
from artgen.imaging.tiles.exact import PaintTiles, TileWindow, is_out_of_memory

# Share of the overlap, at a tile's border, that gets no weight: networks paint worst there.
UNUSED_OVERLAP_SHARE = 1 / 8
# Low frequencies are what remains after blurring by box means of this many input px.
LOW_FREQUENCY_BLUR_PX = 4


@dataclass(frozen=True)
class TileAxis:
    """The overlapping tiles along one axis of an image, with their blending weights.

    Attributes:
        origins: first input px of each tile.
        weights: ``(tiles, side * scale)`` in output px; at every output px they sum to 1.
        squared_sums: ``(length * scale,)``: at every output px, the sum of the squared weights.
    """

    origins: tuple[int, ...]
    weights: Tensor
    squared_sums: Tensor


def build_tile_axis(length: int, side: int, overlap: float, scale: int = 1, multiple: int = 1) -> TileAxis:
    """Place blended tiles of ``side`` px evenly over ``length`` px, with their blending weights.

    Args:
        length: of the image along this axis, input px.
        side: of a tile, input px.
        overlap: share of a side that neighbours have in common at least, 0.25 to 0.5.
        scale: output px for an input px.
        multiple: tiles start on multiples of it, except the last one.

    Raises:
        ValueError: ``length < side``, the overlap is not 0.25 to 0.5, or the multiple is too large for it.
    """
    if length < side or not 0.25 <= overlap <= 0.5:
        raise ValueError(f"length {length}, side {side}, overlap {overlap}")
    # Origins are rounded down to multiples, which may widen a gap by up to one.
    step = side * (1 - overlap) - (multiple if multiple > 1 else 0)
    if step < 1:
        raise ValueError(
            f"tiles of {side} px cannot start on multiples of {multiple} px and overlap by {overlap}"
        )
    count = 1 + math.ceil((length - side) / step)
    spacing = (length - side) / max(1, count - 1)
    origins = (*(int(i * spacing) // multiple * multiple for i in range(count - 1)), length - side)
    weights = torch.zeros(count, side * scale)
    weight_sums = torch.zeros(length * scale)
    for i, origin in enumerate(origins):
        overlap_before = origins[i - 1] + side - origin if i else 0
        overlap_after = origin + side - origins[i + 1] if i + 1 < count else 0
        weights[i] = _window_weights(side * scale, overlap_before * scale, overlap_after * scale)
        weight_sums[origin * scale : (origin + side) * scale] += weights[i]
    squared_sums = torch.zeros(length * scale)
    for i, origin in enumerate(origins):
        span = slice(origin * scale, (origin + side) * scale)
        weights[i] /= weight_sums[span]
        squared_sums[span] += weights[i].square()
    return TileAxis(origins, weights, squared_sums)


def _window_weights(side: int, overlap_before: int, overlap_after: int) -> Tensor:
    """Return a tile's blending weights ``(side,)``: they rise over one overlap and fall over the other.

    They are 0 in the outer margin of each overlap.
    """
    position = torch.arange(side, dtype=torch.float64) + 0.5
    weights = torch.ones(side, dtype=torch.float64)
    for overlap, distance in ((overlap_before, position), (overlap_after, side - position)):
        if overlap:
            margin = overlap * UNUSED_OVERLAP_SHARE
            phase = ((distance - margin) / max(overlap - 2 * margin, 1e-9)).clamp(0, 1)
            weights = weights * torch.sin(phase * math.pi / 2).square()
    return weights.float()


def paint_blended(
    paint_tiles: PaintTiles,
    reader: BandReader,
    writer: BandWriter,
    *,
    scale: int,
    side: int,
    overlap: float = 0.25,
    multiple: int = 1,
    max_batch: int = 1,
    anchor_colours: bool = True,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Run a network over an image in overlapping tiles and blend their outputs.

    Only the rows of one tile are kept as floats.

    Args:
        paint_tiles: the network; it gets full tiles only.
        reader: the input ``(C, H, W)``, at least ``side`` px each way.
        writer: the output ``(3, scale * H, scale * W)``.
        scale: output px for an input px.
        side: of a tile, input px.
        overlap: share of a side that neighbours have in common, 0.25 to 0.5.
        multiple: tiles start on multiples of it, except the last one of each axis.
        max_batch: the most tiles in one call; halved when memory runs out.
        anchor_colours: give every tile the low frequencies of its input, so that colours do not drift.
        progress: called with the share of rows done.

    Raises:
        ArtgenError: the image is smaller than a tile, or one tile does not fit in memory.
    """
    if min(reader.height, reader.width) < side:
        problem = f"{reader.width} x {reader.height} px"
        raise ArtgenError("tiles", problem, f"this network needs at least {side} px each way")
    vertical = build_tile_axis(reader.height, side, overlap, scale, multiple)
    horizontal = build_tile_axis(reader.width, side, overlap, scale, multiple)
    rows, columns = side * scale, reader.width * scale
    low_sums, detail_sums = torch.zeros(3, rows, columns), torch.zeros(3, rows, columns)
    for i, top in enumerate(vertical.origins):
        source = reader.read_rows(top, top + side)
        windows = [TileWindow(top, left, top + side, left + side) for left in horizontal.origins]
        for j, tile in _paint_tile_row(paint_tiles, source, windows, max_batch):
            left = windows[j].left
            if anchor_colours:
                tile = restore_low_frequencies(tile, source[:, :, left : left + side], scale)
            low = low_frequencies(tile, LOW_FREQUENCY_BLUR_PX * scale)
            weights = vertical.weights[i][:, None] * horizontal.weights[j]
            span = slice(left * scale, (left + side) * scale)
            low_sums[:, :, span] += low * weights
            detail_sums[:, :, span] += (tile - low) * weights
        finished = (vertical.origins[i + 1] - top) * scale if i + 1 < len(vertical.origins) else rows
        first_row = top * scale
        squared_sums = vertical.squared_sums[first_row : first_row + finished, None] * horizontal.squared_sums
        buffer = writer.row_buffer(first_row, first_row + finished)
        torch.add(low_sums[:, :finished], detail_sums[:, :finished] / squared_sums.sqrt_(), out=buffer)
        writer.finish_rows(first_row + finished)
        for sums in (low_sums, detail_sums):
            sums[:, : rows - finished] = sums[:, finished:].clone()
            sums[:, rows - finished :] = 0
        progress((first_row + finished) / (reader.height * scale))


def _paint_tile_row(
    paint_tiles: PaintTiles, source: Tensor, windows: Sequence[TileWindow], max_batch: int
) -> Iterator[tuple[int, Tensor]]:
    """Yield the index and the network's output of each tile of a row, painted in batches."""
    first = 0
    while first < len(windows):
        group = windows[first : first + max_batch]
        try:
            outputs = paint_tiles(torch.stack([source[:, :, w.left : w.right] for w in group]), group)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if max_batch == 1:
                problem = f"not enough for a tile of {group[0].size[0]} px"
                raise ArtgenError("memory", problem, "close other programs") from None
            max_batch //= 2
            continue
        yield from enumerate(outputs.float(), first)
        first += len(group)


def restore_low_frequencies(image: Tensor, source: Tensor, scale: int) -> Tensor:
    """Give ``image`` ``(3, s*h, s*w)`` the low frequencies of ``source`` ``(3, h, w)``; ``s`` is ``scale``.

    The difference between the source and the image, reduced by area, is enlarged smoothly and added. Thus
    colours do not drift over several passes, and detail stays.
    """
    difference = (
        source - F.avg_pool2d(image[None], scale)[0]
        if scale > 1
        else low_frequencies(source - image, LOW_FREQUENCY_BLUR_PX)
    )
    if scale > 1:
        size = (image.shape[-2], image.shape[-1])
        difference = F.interpolate(difference[None], size=size, mode="bicubic", align_corners=False)[0]
    return image + difference


def low_frequencies(image: Tensor, width: int) -> Tensor:
    """Return an image's low frequencies: blurred by three box means of about ``width`` px."""
    radius = max(1, width // 2)
    for _ in range(3):
        for axis in (-1, -2):
            size = min(radius, image.shape[axis] - 1)
            padding = (size, size, 0, 0) if axis == -1 else (0, 0, size, size)
            kernel = (1, 2 * size + 1) if axis == -1 else (2 * size + 1, 1)
            image = F.avg_pool2d(F.pad(image[None], padding, mode="replicate"), kernel, stride=1)[0]
    return image
