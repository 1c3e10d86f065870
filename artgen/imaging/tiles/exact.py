"""The tile engine: any network over any image, band by band, without a visible seam.

It takes a function and a declaration of how far the network sees (``Reach``), and knows no model. A bounded
receptive field takes the exact path, on which the tile size never changes a pixel; anything else the
generative path (``blended.py``). Memory depends on the image's width times the tile, never its area.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.tiles.bands import Reader, Writer

TILE = 128


@dataclass(frozen=True)
class Reach:
    """What a network declares about itself; a test derives it from the network, so it cannot lie.

    Attributes:
        scale: output px for an input px.
        multiple: input sizes and tile origins must be multiples of it.
        halo: input px beyond an output's own that can change it.
    """

    scale: int
    multiple: int
    halo: int


@dataclass(frozen=True)
class Window:
    """A rectangle of the input, in input px; the rectangle itself is its absolute position."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def size(self) -> tuple[int, int]:
        """``(height, width)``."""
        return self.bottom - self.top, self.right - self.left


# ``(B, C, h, w)`` and the window of each tile, for noise anchored to it, to ``(B, 3, scale*h, scale*w)``.
Paint = Callable[[Tensor, Sequence[Window]], Tensor]


def paint_exact(
    paint: Paint,
    reach: Reach,
    reader: Reader,
    writer: Writer,
    *,
    tile: int = TILE,
    batch: int = 1,
    progress: Callable[[float], None] = lambda done: None,
) -> None:
    """Tiled result equal to the untiled one to float rounding, for every tile size.

    Tiles start on multiples, carry ``halo`` px of context that is cropped off again, and end where the image
    ends, so that the network pads there just as it would on the whole image. Equal shapes run in batches.
    Out of memory halves the batch, then the tile, and only the band at hand is done again.

    Args:
        paint: the network.
        reach: its declaration.
        reader: the input, ``(C, H, W)``.
        writer: the output, ``(3, scale * H, scale * W)``.
        tile: side of a tile without its halo, input px; rounded to the multiple.
        batch: the most tiles in one call.
        progress: told the share of rows done.

    Raises:
        ArtgenError: when even one tile of the smallest size does not fit in memory.
    """
    height, width = reader.height, reader.width
    if height % reach.multiple or width % reach.multiple:
        found = f"{width} x {height} px"
        raise ArtgenError("tiles", found, f"this network takes multiples of {reach.multiple} px")
    side = _snap(tile, reach.multiple)
    top = 0
    while top < height:
        bottom = min(top + side, height)
        try:
            _paint_band(paint, reach, reader, writer, top, bottom, side, batch)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            if batch > 1:
                batch //= 2
            elif side > reach.multiple and side > 16:
                side = _snap(side // 2, reach.multiple)
            else:
                raise ArtgenError(
                    "memory", f"not enough for a tile of {side} px", "close other programs"
                ) from None
            continue
        writer.finish(bottom * reach.scale)
        top = bottom
        progress(top / height)


def _paint_band(
    paint: Paint,
    reach: Reach,
    reader: Reader,
    writer: Writer,
    top: int,
    bottom: int,
    side: int,
    batch: int,
) -> None:
    scale, width = reach.scale, reader.width
    context = _snap(reach.halo, reach.multiple)
    first, last = max(0, top - context), min(reader.height, bottom + context)
    source = reader.rows(first, last)
    target = writer.rows(top * scale, bottom * scale)
    inner = [Window(top, left, bottom, min(left + side, width)) for left in range(0, width, side)]
    outer = [Window(first, max(0, w.left - context), last, min(width, w.right + context)) for w in inner]
    for group in _batches(outer, batch):
        windows = [outer[i] for i in group]
        tiles = torch.stack([source[:, :, w.left : w.right] for w in windows])
        painted = paint(tiles, windows)
        for i, result in zip(group, painted, strict=True):
            keep, seen = inner[i], outer[i]
            down, right = (keep.top - seen.top) * scale, (keep.left - seen.left) * scale
            rows, columns = (keep.size[0] * scale, keep.size[1] * scale)
            target[:, :, keep.left * scale : keep.right * scale] = result[
                :, down : down + rows, right : right + columns
            ]


def _batches(windows: Sequence[Window], most: int) -> Iterator[list[int]]:
    """Indices in groups of at most ``most``, each of one shape."""
    group: list[int] = []
    for i, window in enumerate(windows):
        if group and (len(group) == most or windows[group[0]].size != window.size):
            yield group
            group = []
        group.append(i)
    if group:
        yield group


def _snap(length: int, multiple: int) -> int:
    """The smallest multiple that is at least ``length`` and at least one multiple."""
    return max(1, -(-length // multiple)) * multiple if length > 0 else 0


def out_of_memory(error: RuntimeError) -> bool:
    """Whether torch says that memory ran out, on any device, and not that something is wrong with it."""
    said = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in said or "out of memory" in said
