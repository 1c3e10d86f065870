"""What generators of pictures out of nothing have in common: a latent goes in, a square picture comes out."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, Field
from torch import Tensor

from artgen.models.architectures.network import Config, Network


def _power_of_two(side: int) -> int:
    if side & (side - 1):
        raise ValueError("a power of two")
    return side


class LatentConfig(Config):
    """Sizes that every such generator has: of its square pictures, of the latent."""

    side: Annotated[int, AfterValidator(_power_of_two)] = Field(64, ge=16, le=1024)
    latent: int = Field(64, ge=1, le=4096)

    @property
    def doublings(self) -> int:
        """From 4 x 4 to the picture."""
        return int(math.log2(self.side)) - 2


class LatentGenerator(Network):
    """Normal latents ``(B, latent)`` to pictures ``(B, 3, side, side)`` in [0, 1]."""

    config: LatentConfig

    def settle(self, latents: Tensor) -> None:
        """Fix whatever the network estimates over a batch, for these weights; most networks estimate nothing.

        Args:
            latents: ``(B, latent)``, enough of them to be typical.
        """
