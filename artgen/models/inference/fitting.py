"""Fitting any image to a network: its channels, its border."""

from __future__ import annotations

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import luminance


def convert_channels(image: Tensor, channels: int, name: str) -> Tensor:
    """Convert an image to the channels of a network: luminance for 1, grey repeated for 3.

    Args:
        image: ``(1, H, W)`` or ``(3, H, W)``.
        channels: those that the network takes.
        name: the model, as messages name it.

    Raises:
        ArtgenError: a network of 2 or 4 channels, whose meaning is not stored.
    """
    if channels not in (1, 3):
        raise ArtgenError(f"translate: {name}", f"takes {channels} channels", "grey or colour: 1 or 3")
    if image.shape[0] == channels:
        return image
    return luminance(image) if channels == 1 else image.expand(channels, -1, -1)


def pad_mirrored(image: Tensor, height: int, width: int) -> Tensor:
    """Pad an image ``(C, H, W)`` at the right and the bottom to a network's size, mirrored back and forth."""
    if image.shape[-2:] == (height, width):
        return image
    rows, columns = _mirrored_indices(image.shape[-2], height), _mirrored_indices(image.shape[-1], width)
    return image[:, rows][:, :, columns]


def _mirrored_indices(length: int, padded_length: int) -> Tensor:
    """Return indices that pad a line of ``length`` px: to its end, back, and so on."""
    last = max(1, length - 1)
    phase: Tensor = torch.arange(padded_length) % (2 * last)
    return (last - (phase - last).abs()).clamp(max=length - 1)
