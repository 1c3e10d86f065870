"""What every network here is: a module that can be built again from a few checked numbers."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from torch import nn


class Config(BaseModel):
    """The sizes of a network. They come out of files from anywhere, so each field says its limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Network(nn.Module):
    """A network of one architecture. Pictures go in and come out as float32 in [0, 1].

    Args:
        config: of the class's own ``configuration``.
    """

    architecture: ClassVar[str]
    """Names the class in model files."""
    configuration: ClassVar[type[Config]]
    """What ``config`` is, and what a file's ``config`` is checked against."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
