"""One seed, many independent streams.

Every random choice is keyed by (seed, candidate, step, name), so that candidate 7 alone equals
candidate 7 of 4,000 and a new step changes no other step's draws.
"""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def derive(seed: int, candidate: int, step: str, name: str) -> int:
    """The key of one random stream: 63 bits of SHA-256 over the four parts."""
    text = "\x1f".join((str(seed), str(candidate), step, name))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def stream(key: int) -> random.Random:
    """A stream of scalars for draws."""
    return random.Random(key)


def generator(key: int) -> torch.Generator:
    """A stream of tensors, always on the CPU, so that every device sees the same numbers."""
    import torch

    return torch.Generator().manual_seed(key)
