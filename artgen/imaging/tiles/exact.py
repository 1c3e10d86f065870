"""Exact tiling: a network with a bounded receptive field over an image of any size, without seams.

It takes a function and a description of the network (``TileGeometry``), and knows no model. On this path the
tile size never changes a pixel; networks without a bounded receptive field take the path of ``blended.py``.
Memory depends on the image's width times the tile's side, not on the image's area.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.tiles.bands import BandReader, BandWriter

DEFAULT_TILE_SIDE_PX = 128


@dataclass(frozen=True)
class TileGeometry:
    """How a network's output depends on positions in its input; tests check it against gradients.

    Attributes:
        scale: output px for an input px.
        multiple: input sizes and tile origins must be multiples of it.
        halo: how many px away from its own an input px can still change an output px.
    """

    scale: int
    multiple: int
    halo: int


@dataclass(frozen=True)
class TileWindow:
    """A rectangle of the input image by its absolute position, in input px."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def size(self) -> tuple[int, int]:
        """Size of a tile's window, ``(height, width)`` in px."""
        return self.bottom - self.top, self.right - self.left

    def expanded(self, margin: int, height: int, width: int) -> TileWindow:
        """Return the tile's window with a margin on all sides, inside an image ``height`` x ``width`` px."""
        top, left = max(0, self.top - margin), max(0, self.left - margin)
        return TileWindow(top, left, min(height, self.bottom + margin), min(width, self.right + margin))


# From tiles ``(B, C, h, w)`` and their windows (for noise by position) to ``(B, 3, scale*h, scale*w)``.
PaintTiles = Callable[[Tensor, Sequence[TileWindow]], Tensor]


def paint_exact(
    paint_tiles: PaintTiles,
    geometry: TileGeometry,
    reader: BandReader,
    writer: BandWriter,
    *,
    tile_side: int = DEFAULT_TILE_SIDE_PX,
    max_batch: int = 1,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Run a network over an image in tiles; the result equals the untiled one to float rounding.

    Tiles start on multiples, get ``halo`` px of context that is cropped off again, and end where the image
    ends, so that the network pads there as it would on the whole image. Tiles of one shape run in batches.
    If memory runs out, the batch is halved, then the tile, and only the current band is repeated.

    Args:
        paint_tiles: the network.
        geometry: its scale, multiple and halo.
        reader: the input, ``(C, H, W)``.
        writer: the output, ``(3, scale * H, scale * W)``.
        tile_side: side of a tile without its halo, input px; rounded up to the multiple.
        max_batch: the most tiles in one call.
        progress: called with the share of rows done.

    Raises:
        ArtgenError: a side is no multiple, or one tile of the smallest size does not fit in memory.
    """
    height, width = reader.height, reader.width
    if height % geometry.multiple or width % geometry.multiple:
        problem = f"{width} x {height} px"
        raise ArtgenError("tiles", problem, f"this network takes multiples of {geometry.multiple} px")
    side = round_up_to_multiple(tile_side, geometry.multiple)
    top = 0
    while top < height:
        bottom = min(top + side, height)
        try:
            _paint_band(paint_tiles, geometry, reader, writer, top, bottom, side, max_batch)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            if max_batch > 1:
                max_batch //= 2
            elif side > geometry.multiple and side > 16:
                side = round_up_to_multiple(side // 2, geometry.multiple)
            else:
                raise ArtgenError(
                    "memory", f"not enough for a tile of {side} px", "close other programs"
                ) from None
            continue
        writer.finish_rows(bottom * geometry.scale)
        top = bottom
        progress(top / height)


def _paint_band(
    paint_tiles: PaintTiles,
    geometry: TileGeometry,
    reader: BandReader,
    writer: BandWriter,
    top: int,
    bottom: int,
    side: int,
    max_batch: int,
) -> None:
    scale, width = geometry.scale, reader.width
    context = round_up_to_multiple(geometry.halo, geometry.multiple)
    inner = [TileWindow(top, left, bottom, min(left + side, width)) for left in range(0, width, side)]
    outer = [window.expanded(context, reader.height, width) for window in inner]
    source = reader.read_rows(outer[0].top, outer[0].bottom)
    target = writer.row_buffer(top * scale, bottom * scale)
    for group in _group_by_shape(outer, max_batch):
        windows = [outer[i] for i in group]
        tiles = torch.stack([source[:, :, w.left : w.right] for w in windows])
        results = paint_tiles(tiles, windows)
        for i, result in zip(group, results, strict=True):
            window, padded_window = inner[i], outer[i]
            first = (window.top - padded_window.top) * scale, (window.left - padded_window.left) * scale
            rows, columns = (window.size[0] * scale, window.size[1] * scale)
            target[:, :, window.left * scale : window.right * scale] = result[
                :, first[0] : first[0] + rows, first[1] : first[1] + columns
            ]


def _group_by_shape(windows: Sequence[TileWindow], max_count: int) -> Iterator[list[int]]:
    """Yield the indices of consecutive tiles of one shape, in groups of at most ``max_count``."""
    group: list[int] = []
    for i, window in enumerate(windows):
        if group and (len(group) == max_count or windows[group[0]].size != window.size):
            yield group
            group = []
        group.append(i)
    if group:
        yield group


def round_up_to_multiple(length: int, multiple: int) -> int:
    """Return the smallest multiple of a tile's unit of at least ``length``; 0 only for ``length`` 0."""
    return max(1, -(-length // multiple)) * multiple if length > 0 else 0


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether Python or torch raised ``error`` because memory ran out, on any device."""
    message = str(error).lower() if isinstance(error, RuntimeError) else ""
    return (
        isinstance(error, MemoryError | torch.OutOfMemoryError)
        or "allocate memory" in message
        or "out of memory" in message
    )
