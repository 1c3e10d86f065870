"""The architecture ``softener``: a small network that turns one image into another of the same size."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor, nn

from artgen.imaging.tiles.exact import TileGeometry
from artgen.models.architectures.network import ConvolutionalNetwork, NetworkConfig


class SoftenerConfig(NetworkConfig):
    """Sizes of a softener.

    Args:
        width: channels inside.
    """

    width: Annotated[int, Field(ge=1, le=256)] = 16


class Softener(ConvolutionalNetwork):
    """Two convolutions whose result is added to the image. Starts as the identity."""

    architecture: ClassVar[str] = "softener"
    config_class: ClassVar[type[NetworkConfig]] = SoftenerConfig

    def __init__(self, config: SoftenerConfig) -> None:
        super().__init__(config)
        self.first = nn.Conv2d(3, config.width, 3, padding=1)
        self.last = nn.Conv2d(config.width, 3, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    @property
    def tile_geometry(self) -> TileGeometry:
        """Each convolution looks 1 px further."""
        return TileGeometry(scale=1, multiple=1, halo=2)

    def forward(self, images: Tensor) -> Tensor:
        """Return changed images, ``(N, 3, H, W)`` in [0, 1] as those given."""
        return (images + self.last(self.first(images).relu())).clamp(0, 1)
