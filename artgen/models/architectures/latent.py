"""Base classes of the generators that make a square image from a random latent vector alone."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, Field
from torch import Tensor

from artgen.models.architectures.network import Network, NetworkConfig

MAX_LEVEL_WIDTH_FACTOR = 8  # times the width at half the image's side that inner levels have at most


def _require_power_of_two(side: int) -> int:
    if side & (side - 1):
        raise ValueError("a power of two")
    return side


class LatentConfig(NetworkConfig):
    """Sizes of a generator from latents: side of its square images, length of the latent."""

    side: Annotated[int, AfterValidator(_require_power_of_two)] = Field(64, ge=16, le=1024)
    latent: int = Field(64, ge=1, le=4096)

    @property
    def doublings(self) -> int:
        """How often the generator doubles the size, from 4 x 4 to the full side."""
        return int(math.log2(self.side)) - 2


class LatentGenerator(Network):
    """A network from normal latents ``(B, latent)`` to images ``(B, 3, side, side)`` in [0, 1]."""

    config: LatentConfig

    def fix_batch_statistics(self, latents: Tensor) -> None:
        """Measure and keep the statistics that the generator takes over a batch, if any.

        Args:
            latents: ``(B, latent)``, enough of them to be typical.
        """


def channels_per_level(width: int, doublings: int) -> list[int]:
    """Return a generator's channels at 4 x 4, 8 x 8, ... up to half the side, doubling inwards.

    Args:
        width: channels at half the image's side.
        doublings: number of levels.
    """
    return [min(2**level, MAX_LEVEL_WIDTH_FACTOR) * width for level in reversed(range(doublings))]
