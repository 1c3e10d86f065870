"""Base classes of every network: a module that is rebuilt from a few validated numbers."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from torch import nn


class NetworkConfig(BaseModel):
    """Sizes of a network, stored in model files; files may come from anywhere, so each field has limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Network(nn.Module):
    """A network of one architecture. Images go in and come out as float32 in [0, 1].

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


def format_shape(shape: tuple[int, ...] | None) -> str:
    """Return a tensor's shape in words for messages, such as ``64 x 3 x 4 x 4``; None means no tensor."""
    return "missing" if shape is None else " x ".join(map(str, shape)) or "one number"
