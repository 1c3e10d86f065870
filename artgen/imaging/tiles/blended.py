"""The generative path: networks that see past any halo, or accept one size only, over overlapping tiles.

An even grid of full tiles whose windows are a smooth partition of unity. Low frequencies blend linearly;
detail blends *variance-preserving*, divided by the root of the summed squared weights, because averaging two
independent inventions drops their contrast to 0.71 and shows as a soft band.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.tiles.bands import Reader, Writer
from artgen.imaging.tiles.exact import Paint, Window, out_of_memory

# A tile's outermost eighth of the overlap gets no weight: networks paint worst at their own border.
MARGIN = 1 / 8
# Low frequencies are what survives an area mean over this many px of the input.
COARSE = 4


@dataclass(frozen=True)
class Axis:
    """The tiles along one axis.

    Attributes:
        origins: first input px of each tile.
        weights: ``(tiles, side * scale)`` in output px; at every output px they sum to 1.
        squares: ``(length * scale,)``: at every output px, the sum of the squared weights.
    """

    origins: tuple[int, ...]
    weights: Tensor
    squares: Tensor


def even_axis(length: int, side: int, overlap: float, scale: int = 1, multiple: int = 1) -> Axis:
    """An even grid of tiles of ``side`` px over ``length`` px; neighbours share ``overlap`` of it or more.

    Raises:
        ValueError: when ``length < side``, or the overlap is not 0.25 to 0.5.
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
    spread = (length - side) / max(1, count - 1)
    origins = (*(int(i * spread) // multiple * multiple for i in range(count - 1)), length - side)
    weights = torch.zeros(count, side * scale)
    total = torch.zeros(length * scale)
    for i, origin in enumerate(origins):
        before = origins[i - 1] + side - origin if i else 0
        after = origin + side - origins[i + 1] if i + 1 < count else 0
        weights[i] = _bump(side * scale, before * scale, after * scale)
        total[origin * scale : (origin + side) * scale] += weights[i]
    squares = torch.zeros(length * scale)
    for i, origin in enumerate(origins):
        span = slice(origin * scale, (origin + side) * scale)
        weights[i] /= total[span]
        squares[span] += weights[i].square()
    return Axis(origins, weights, squares)


def _bump(side: int, before: int, after: int) -> Tensor:
    """Rises smoothly over the overlap before and falls over the one after, but for their outer margins."""
    position = torch.arange(side, dtype=torch.float64) + 0.5
    weight = torch.ones(side, dtype=torch.float64)
    for overlap, distance in ((before, position), (after, side - position)):
        if overlap:
            margin = overlap * MARGIN
            along = ((distance - margin) / max(overlap - 2 * margin, 1e-9)).clamp(0, 1)
            weight = weight * torch.sin(along * math.pi / 2).square()
    return weight.float()


def paint_blended(
    paint: Paint,
    reader: Reader,
    writer: Writer,
    *,
    scale: int,
    side: int,
    overlap: float = 0.25,
    multiple: int = 1,
    batch: int = 1,
    anchor: bool = True,
    progress: Callable[[float], None] = lambda done: None,
) -> None:
    """Tiles of ``side`` input px, blended; only the overlapping band of rows is held as floats.

    Args:
        paint: the network; sees full tiles only.
        reader: the input ``(C, H, W)``, at least ``side`` px each way.
        writer: the output ``(3, scale * H, scale * W)``.
        scale: output px for an input px.
        side: the one size the network takes, input px.
        overlap: share of a side that neighbours have in common, 0.25 to 0.5.
        multiple: tile origins are multiples of it where the grid allows.
        batch: the most tiles in one call; halved when memory runs out.
        anchor: put every tile's low frequencies back to its input's, so that colour does not drift.
        progress: told the share of rows done.

    Raises:
        ArtgenError: the image is smaller than a tile, or one tile does not fit in memory.
    """
    if min(reader.height, reader.width) < side:
        found = f"{reader.width} x {reader.height} px"
        raise ArtgenError("tiles", found, f"this network needs at least {side} px each way")
    down = even_axis(reader.height, side, overlap, scale, multiple)
    across = even_axis(reader.width, side, overlap, scale, multiple)
    rows, columns = side * scale, reader.width * scale
    low, detail = torch.zeros(3, rows, columns), torch.zeros(3, rows, columns)
    for i, top in enumerate(down.origins):
        source = reader.rows(top, top + side)
        windows = [Window(top, left, top + side, left + side) for left in across.origins]
        for j, made in _painted(paint, source, windows, batch):
            left = windows[j].left
            if anchor:
                made = reanchor(made, source[:, :, left : left + side], scale)
            base = coarse(made, COARSE * scale)
            weight = down.weights[i][:, None] * across.weights[j]
            span = slice(left * scale, (left + side) * scale)
            low[:, :, span] += base * weight
            detail[:, :, span] += (made - base) * weight
        done = (down.origins[i + 1] - top) * scale if i + 1 < len(down.origins) else rows
        first = top * scale
        spread = (down.squares[first : first + done, None] * across.squares).sqrt_()
        band = writer.rows(first, first + done)
        torch.add(low[:, :done], detail[:, :done] / spread, out=band)
        writer.finish(first + done)
        for sums in (low, detail):
            sums[:, : rows - done] = sums[:, done:].clone()
            sums[:, rows - done :] = 0
        progress((first + done) / (reader.height * scale))


def _painted(
    paint: Paint, source: Tensor, windows: Sequence[Window], most: int
) -> Iterator[tuple[int, Tensor]]:
    """Number and picture of each tile of a band, in batches."""
    first = 0
    while first < len(windows):
        group = windows[first : first + most]
        try:
            made = paint(torch.stack([source[:, :, w.left : w.right] for w in group]), group)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            if most == 1:
                found = f"not enough for a tile of {group[0].size[0]} px"
                raise ArtgenError("memory", found, "close other programs") from None
            most //= 2
            continue
        yield from enumerate(made.float(), first)
        first += len(group)


def reanchor(image: Tensor, source: Tensor, scale: int) -> Tensor:
    """``image`` ``(3, s*h, s*w)`` with the low frequencies of ``source`` ``(3, h, w)``.

    What ``image``, reduced by area to the source's size, is away from it is enlarged smoothly and taken off:
    after any number of passes colours are where they began, and detail is untouched.
    """
    missing = source - F.avg_pool2d(image[None], scale)[0] if scale > 1 else coarse(source - image, COARSE)
    if scale > 1:
        size = (image.shape[-2], image.shape[-1])
        missing = F.interpolate(missing[None], size=size, mode="bicubic", align_corners=False)[0]
    return image + missing


def coarse(image: Tensor, reach: int) -> Tensor:
    """Low frequencies of ``(C, H, W)``: three box means of about ``reach`` px, which is nearly a Gaussian."""
    radius = max(1, reach // 2)
    for _ in range(3):
        for axis in (-1, -2):
            size = min(radius, image.shape[axis] - 1)
            pad = (size, size, 0, 0) if axis == -1 else (0, 0, size, size)
            kernel = (1, 2 * size + 1) if axis == -1 else (2 * size + 1, 1)
            image = F.avg_pool2d(F.pad(image[None], pad, mode="replicate"), kernel, stride=1)[0]
    return image
