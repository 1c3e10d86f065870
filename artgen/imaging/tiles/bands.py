"""Where tiles come from and go to: a tensor, or a file mapped into memory, by the same two protocols."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


class Reader(Protocol):
    """An image that can be read in bands of rows."""

    @property
    def height(self) -> int:
        """Rows, px."""

    @property
    def width(self) -> int:
        """Columns, px."""

    def rows(self, top: int, bottom: int) -> Tensor:
        """Rows ``top`` to ``bottom`` as float32 ``(C, bottom - top, W)``, near [0, 1]; not to be changed."""


class Writer(Protocol):
    """An image that is written in bands of rows, from the top down."""

    def rows(self, top: int, bottom: int) -> Tensor:
        """A float32 ``(3, bottom - top, W)`` buffer to fill; asking for the same rows again starts over."""

    def finish(self, bottom: int) -> None:
        """The buffer handed out last is right down to row ``bottom``: keep it."""


class TensorReader:
    """Reads bands of a ``(C, H, W)`` tensor without copying."""

    def __init__(self, image: Tensor) -> None:
        self.image = image
        self.height, self.width = int(image.shape[-2]), int(image.shape[-1])

    def rows(self, top: int, bottom: int) -> Tensor:
        """See ``Reader``."""
        return self.image[:, top:bottom]


class TensorWriter:
    """Writes bands straight into ``image``, ``(3, H, W)``."""

    def __init__(self, height: int, width: int) -> None:
        self.image = torch.empty(3, height, width)

    def rows(self, top: int, bottom: int) -> Tensor:
        """See ``Writer``."""
        return self.image[:, top:bottom]

    def finish(self, bottom: int) -> None:
        """See ``Writer``."""


class FileReader:
    """Reads bands of 8-bit ``(H, W, 3)`` pixels from a raw file."""

    def __init__(self, path: Path, height: int, width: int) -> None:
        self.path, self.height, self.width = path, height, width

    def rows(self, top: int, bottom: int) -> Tensor:
        """See ``Reader``. Only the band asked for is mapped: pages of others would count as ours."""
        shape, offset = (bottom - top, self.width, 3), top * self.width * 3
        band = np.memmap(self.path, dtype=np.uint8, mode="r", offset=offset, shape=shape)
        return torch.from_numpy(np.array(band)).permute(2, 0, 1).float().div_(255)


class FileWriter:
    """Writes bands as 8-bit ``(H, W, 3)`` pixels to a raw file; one band of floats is alive at a time."""

    def __init__(self, path: Path, height: int, width: int) -> None:
        self.path, self.height, self.width = path, height, width
        self._top, self._band = 0, torch.empty(0)
        with path.open("wb") as file:
            file.truncate(height * width * 3)

    def rows(self, top: int, bottom: int) -> Tensor:
        """See ``Writer``."""
        if self._band.shape[-2:] != (bottom - top, self.width):
            self._band = torch.empty(3, bottom - top, self.width)
        self._top = top
        return self._band

    def finish(self, bottom: int) -> None:
        """See ``Writer``."""
        rows = self._band[:, : bottom - self._top]
        pixels = (rows.clamp(0, 1) * 255).round_().byte().permute(1, 2, 0).contiguous()
        with self.path.open("r+b") as file:
            file.seek(self._top * self.width * 3)
            file.write(pixels.numpy().tobytes())
