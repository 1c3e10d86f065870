"""How any picture is made to fit a network: its size, its channels, its border."""

from __future__ import annotations

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import luminance, resize

LONGEST = 4  # times the side of a tile, to which a small picture may be enlarged


def size_of_result(height: int, width: int, side: int | None, own: int) -> tuple[int, int]:
    """``(H, W)``: the image's, or the longer side as asked for; and no side below the network's own."""
    factor = side / max(height, width) if side else 1.0
    if factor * min(height, width) < own:
        # A strip is not enlarged without end: the rest of its tiles is filled up, and cut off again.
        factor = max(factor, min(own / min(height, width), LONGEST * own / max(height, width)))
    return max(1, round(height * factor)), max(1, round(width * factor))


def resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    """``(C, H, W)`` at ``size``; untouched where it has that."""
    return image if tuple(image.shape[-2:]) == size else resize(image, size)


def with_channels(image: Tensor, channels: int, name: str) -> Tensor:
    """One channel is luminance; and luminance where the network wants colours is grey.

    Raises:
        ArtgenError: a network of 2 or 4 channels: nobody but its maker knows what these are.
    """
    if channels not in (1, 3):
        raise ArtgenError(f"translate: {name}", f"takes {channels} channels", "grey or colour: 1 or 3")
    if image.shape[0] == channels:
        return image
    return luminance(image) if channels == 1 else image.expand(channels, -1, -1)


def padded(image: Tensor, height: int, width: int) -> Tensor:
    """``(C, H, W)`` continued to the right and below, mirrored back and forth."""
    if image.shape[-2:] == (height, width):
        return image
    return image[:, _mirrored(image.shape[-2], height)][:, :, _mirrored(image.shape[-1], width)]


def _mirrored(length: int, wanted: int) -> Tensor:
    turn = max(1, length - 1)
    place: Tensor = torch.arange(wanted) % (2 * turn)
    return (turn - (place - turn).abs()).clamp(max=length - 1)
