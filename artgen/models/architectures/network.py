"""Base classes of every network: a module that is rebuilt from a few validated numbers."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from torch import nn

from artgen.imaging.tiles.exact import TileGeometry


class NetworkConfig(BaseModel):
    """Sizes of a network, stored in model files; files may come from anywhere, so each field has limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Network(nn.Module):
    """Base class of networks of one architecture, from images to images as float32 in [0, 1].

    Args:
        config: sizes, an instance of the subclass's ``config_class``.
    """

    architecture: ClassVar[str]
    """Name of the architecture in model files."""
    config_class: ClassVar[type[NetworkConfig]]
    """Class of ``config``; the ``config`` stored in a model file is validated against it."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config


class ConvolutionalNetwork(Network):
    """A network from image to image of the same size, each of whose pixels depends on its surroundings only.

    The step ``translate`` paints with it at any size, tile by tile, without seams.
    """

    @property
    def tile_geometry(self) -> TileGeometry:
        """Scale, size multiple and halo for the tile engine, once the statistics of norms are fixed."""
        raise NotImplementedError

    @property
    def input_channels(self) -> int:
        """Channels of the network's input images: 3 for colour, 1 for grey."""
        return 3


def format_shape(shape: tuple[int, ...] | None) -> str:
    """Return the shape of a weight tensor for messages, such as ``64 x 3 x 4 x 4``; None means no tensor."""
    return "missing" if shape is None else " x ".join(map(str, shape)) or "one number"
