"""Readers and writers of images in bands of rows: from and to a tensor, or a raw file on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


class BandReader(Protocol):
    """An image that can be read in bands of rows."""

    @property
    def height(self) -> int:
        """Height of the banded image, px."""

    @property
    def width(self) -> int:
        """Width of the banded image, px."""

    def read_rows(self, top: int, bottom: int) -> Tensor:
        """Return rows ``top`` to ``bottom``, float32 ``(C, bottom - top, W)``, near [0, 1]; read only."""


class BandWriter(Protocol):
    """An image that is written in bands of rows, from the top down."""

    def row_buffer(self, top: int, bottom: int) -> Tensor:
        """Return a float32 ``(3, bottom - top, W)`` buffer to fill; a repeated call starts over."""

    def finish_rows(self, bottom: int) -> None:
        """Store the last buffer: its rows above ``bottom`` are complete."""


class TensorReader:
    """Reader of bands of a ``(C, H, W)`` tensor, without copying."""

    def __init__(self, image: Tensor) -> None:
        self.image = image
        self.height, self.width = int(image.shape[-2]), int(image.shape[-1])

    def read_rows(self, top: int, bottom: int) -> Tensor:
        """See ``BandReader``."""
        return self.image[:, top:bottom]


class TensorWriter:
    """Writer of bands directly into its attribute ``image``, ``(3, H, W)``."""

    def __init__(self, height: int, width: int) -> None:
        self.image = torch.empty(3, height, width)

    def row_buffer(self, top: int, bottom: int) -> Tensor:
        """See ``BandWriter``."""
        return self.image[:, top:bottom]

    def finish_rows(self, bottom: int) -> None:
        """See ``BandWriter``."""


class RawFileReader:
    """Reader of bands from a raw file of 8-bit ``(H, W, 3)`` pixels."""

    def __init__(self, path: Path, height: int, width: int) -> None:
        self.path, self.height, self.width = path, height, width

    def read_rows(self, top: int, bottom: int) -> Tensor:
        """See ``BandReader``. Only this band is mapped, so that other pages do not count as used memory."""
        shape, offset = (bottom - top, self.width, 3), top * self.width * 3
        band = np.memmap(self.path, dtype=np.uint8, mode="r", offset=offset, shape=shape)
        return torch.from_numpy(np.array(band)).permute(2, 0, 1).float().div_(255)


class RawFileWriter:
    """Writer of bands to a raw file of 8-bit ``(H, W, 3)`` pixels; only one band of floats is in memory."""

    def __init__(self, path: Path, height: int, width: int) -> None:
        self.path, self.height, self.width = path, height, width
        self._band_top, self._band = 0, torch.empty(0)
        with path.open("wb") as file:
            file.truncate(height * width * 3)

    def row_buffer(self, top: int, bottom: int) -> Tensor:
        """See ``BandWriter``."""
        if self._band.shape[-2:] != (bottom - top, self.width):
            self._band = torch.empty(3, bottom - top, self.width)
        self._band_top = top
        return self._band

    def finish_rows(self, bottom: int) -> None:
        """See ``BandWriter``."""
        rows = self._band[:, : bottom - self._band_top]
        pixels = (rows.clamp(0, 1) * 255).round_().byte().permute(1, 2, 0).contiguous()
        with self.path.open("r+b") as file:
            file.seek(self._band_top * self.width * 3)
            file.write(pixels.numpy().tobytes())
