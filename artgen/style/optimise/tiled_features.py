"""Features of a picture tile by tile, equal to those of the whole: for posters that no memory holds at once.

Tiles begin on multiples of the deepest layer's stride and carry as much context as it sees; only features of
their own are used. At the picture's border they end where it ends, so that the network pads there as it
always does. What each tile sends back reaches into its context, and is added up (``objective.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from torch import Tensor

from artgen.imaging.tiles.exact import Window
from artgen.models.features.features import Features
from artgen.models.features.receptive import Sight, sight

# Bytes held per number that the convolutions put out, over what the number takes: kept for the way back, the
# gradient on its way, and working memory of convolutions. Measured.
HELD = 3.0


@dataclass(frozen=True)
class Tile:
    """``own`` are the pixels it answers for, ``seen`` those that the network is given."""

    own: Window
    seen: Window

    def cut(self, picture: Tensor) -> Tensor:
        """What the network is given: of ``(C, H, W)``."""
        return picture[:, self.seen.top : self.seen.bottom, self.seen.left : self.seen.right]

    def inner(self, features: Tensor, layer: Sight) -> Tensor:
        """The tile's own features: of ``(C, h, w)``, which the network made of ``seen``."""
        rows = _span(self.own.top, self.own.bottom, self.seen.top, self.seen.bottom, layer.stride)
        columns = _span(self.own.left, self.own.right, self.seen.left, self.seen.right, layer.stride)
        return features[:, rows, columns]

    def place(self, whole: Tensor, layer: Sight, size: tuple[int, int]) -> Tensor:
        """The same places in a layer ``(..., h, w)`` of the whole picture; ``size`` of the features there."""
        top, left = self.own.top // layer.stride, self.own.left // layer.stride
        return whole[..., top : top + size[0], left : left + size[1]]


def _span(first: int, last: int, begin: int, end: int, stride: int) -> slice:
    # To the picture's border whatever there is belongs to the tile: odd sizes leave more or less than that.
    return slice((first - begin) // stride, None if last == end else (last - begin) // stride)


def tiles(size: tuple[int, int], side: int, sights: Collection[Sight]) -> Iterator[Tile]:
    """Tiles of about ``side`` px that cover a picture, row by row.

    Args:
        size: of the picture, ``(H, W)``.
        side: rounded up to a multiple of the deepest stride.
        sights: of the layers that are wanted.
    """
    multiple = max(layer.stride for layer in sights)
    halo = -(-max(layer.halo for layer in sights) // multiple) * multiple
    side = -(-side // multiple) * multiple
    height, width = size
    for top in range(0, height, side):
        for left in range(0, width, side):
            own = Window(top, left, min(top + side, height), min(left + side, width))
            yield Tile(
                own,
                Window(
                    max(0, own.top - halo),
                    max(0, own.left - halo),
                    min(height, own.bottom + halo),
                    min(width, own.right + halo),
                ),
            )


def appetite(network: Features, wanted: Collection[str]) -> float:
    """Bytes that a pass forth and back takes for a pixel."""
    last = max(network.names.index(name) for name in wanted)
    numbers = sum(
        network.channels(name) / sight(network.kernels(name)).stride ** 2
        for name in network.names[: last + 1]
    )
    return HELD * network.dtype.itemsize * numbers


def find_side(size: tuple[int, int], room: float, network: Features, wanted: Collection[str]) -> int:
    """The largest side of tiles that fits.

    Args:
        size: of the picture, ``(H, W)``; its longer side is the answer where all of it fits.
        room: bytes for the network.
        network: its features are wanted.
        wanted: names of layers.
    """
    pixels = room / appetite(network, wanted)
    if size[0] * size[1] <= pixels:
        return max(size)
    sights = [sight(network.kernels(name)) for name in wanted]
    multiple = max(layer.stride for layer in sights)
    halo = -(-max(layer.halo for layer in sights) // multiple) * multiple
    # Below the halo's own width nearly all the work would be done again for the neighbours.
    return max(int(pixels**0.5) - 2 * halo, halo, multiple) // multiple * multiple
