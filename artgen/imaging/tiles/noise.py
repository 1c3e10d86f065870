"""Noise anchored to absolute positions: overlapping tiles see the same numbers where they overlap.

Each value is a hash of (key, channel, row, column), so any window of an endless plane can be drawn alone, in
any order, on any number of workers. Always computed on the CPU, so that every device sees the same noise.
"""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor

# SplitMix64 (Steele, Lea and Flood 2014): increment and the two multipliers of its finaliser, as signed.
_STEP = 0x9E3779B97F4A7C15 - (1 << 64)
_FIRST = 0xBF58476D1CE4E5B9 - (1 << 64)
_SECOND = 0x94D049BB133111EB - (1 << 64)
_UNIT = 2.0**-24


def anchored_noise(key: int, channels: int, top: int, left: int, height: int, width: int) -> Tensor:
    """Standard normal noise ``(channels, height, width)`` of the window at ``(top, left)`` of a plane.

    Args:
        key: names the plane; different keys are independent.
        channels: independent planes.
        top: first row, may be negative.
        left: first column, may be negative.
        height: rows.
        width: columns.
    """
    planes = torch.tensor([_word(key, channel) for channel in range(channels)])
    rows = _mix(planes[:, None] + torch.arange(top, top + height) * _STEP)
    bits = _mix(rows[:, :, None] + torch.arange(left, left + width) * _STEP)
    # Box and Muller: 24 bits for the radius, 24 others for the angle.
    radius = (((bits >> 40) & 0xFFFFFF) + 1).float().mul_(_UNIT).log_().mul_(-2).sqrt_()
    angle = (bits & 0xFFFFFF).float().mul_(_UNIT * 2 * math.pi).cos_()
    return radius.mul_(angle)


def _word(key: int, channel: int) -> int:
    digest = hashlib.sha256(f"{key}/{channel}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _mix(z: Tensor) -> Tensor:
    """SplitMix64's finaliser on signed words: int64 products wrap, shifts are masked to be logical."""
    z = (z ^ ((z >> 30) & 0x3FFFFFFFF)) * _FIRST
    z = (z ^ ((z >> 27) & 0x1FFFFFFFFF)) * _SECOND
    return z ^ ((z >> 31) & 0x1FFFFFFFF)
