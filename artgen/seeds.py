"""Independent random streams derived from one seed.

Every random choice is keyed by (seed, candidate, step, name). Candidate 7 drawn alone therefore equals
candidate 7 of 4,000, and a new step changes no other step's draws.
"""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def derive_key(seed: int, candidate: int, step: str, name: str) -> int:
    """Return the key of one random stream: 63 bits of the SHA-256 of the four arguments.

    Args:
        seed: the run's seed.
        candidate: the candidate's number.
        step: the id of the source or step that draws.
        name: distinguishes several streams of one step.
    """
    text = "\x1f".join((str(seed), str(candidate), step, name))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def python_rng(key: int) -> random.Random:
    """Return Python's random number generator, seeded with ``key``: for numbers and choices."""
    return random.Random(key)


def torch_generator(key: int) -> torch.Generator:
    """Return torch's random number generator, seeded with ``key``: for tensors.

    It is always on the CPU, so that every device gets the same numbers.
    """
    import torch

    return torch.Generator().manual_seed(key)
