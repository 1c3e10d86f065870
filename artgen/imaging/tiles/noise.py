"""Noise that depends on absolute positions: overlapping tiles get the same values where they overlap.

Each value is a hash of (key, channel, row, column), so that any window of an infinite plane can be computed
alone, in any order, on any number of workers. The CPU computes it, so that every device gets the same noise.
"""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor

# SplitMix64 (Steele, Lea and Flood 2014): increment and the two multipliers of its finaliser, as signed.
_SPLITMIX_INCREMENT = 0x9E3779B97F4A7C15 - (1 << 64)
_SPLITMIX_FIRST_MULTIPLIER = 0xBF58476D1CE4E5B9 - (1 << 64)
_SPLITMIX_SECOND_MULTIPLIER = 0x94D049BB133111EB - (1 << 64)
_UNIT_OF_24_BITS = 2.0**-24


def anchored_noise(key: int, channels: int, top: int, left: int, height: int, width: int) -> Tensor:
    """Return normal noise ``(channels, height, width)`` of a tile at ``(top, left)`` of an endless plane.

    Args:
        key: seed of the plane; the noise of different keys is independent.
        channels: number of independent channels.
        top: first row; may be negative.
        left: first column; may be negative.
        height: number of rows.
        width: number of columns.
    """
    planes = torch.tensor([_plane_hash(key, channel) for channel in range(channels)])
    rows = _finalise_splitmix(planes[:, None] + torch.arange(top, top + height) * _SPLITMIX_INCREMENT)
    bits = _finalise_splitmix(rows[:, :, None] + torch.arange(left, left + width) * _SPLITMIX_INCREMENT)
    # Box and Muller: 24 bits for the radius, 24 others for the angle.
    radius = (((bits >> 40) & 0xFFFFFF) + 1).float().mul_(_UNIT_OF_24_BITS).log_().mul_(-2).sqrt_()
    angle = (bits & 0xFFFFFF).float().mul_(_UNIT_OF_24_BITS * 2 * math.pi).cos_()
    return radius.mul_(angle)


def _plane_hash(key: int, channel: int) -> int:
    digest = hashlib.sha256(f"{key}/{channel}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _finalise_splitmix(words: Tensor) -> Tensor:
    """Apply SplitMix64's finaliser, which turns tile positions into random bits, to int64 words."""
    words = (words ^ ((words >> 30) & 0x3FFFFFFFF)) * _SPLITMIX_FIRST_MULTIPLIER
    words = (words ^ ((words >> 27) & 0x1FFFFFFFFF)) * _SPLITMIX_SECOND_MULTIPLIER
    return words ^ ((words >> 31) & 0x1FFFFFFFF)
