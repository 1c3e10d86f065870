"""Writing training images: JPEG of high quality, or PNG."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from artgen.imaging.io.files import atomic_write


def write_training_image(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """Write a training image as JPEG at quality 95 without chroma subsampling, or PNG, atomically.

    Args:
        path: the file; PNG if its extension is ``.png``.
        pixels: ``(H, W, 3)`` sRGB.

    Raises:
        WriteError: the disk is full or the folder not writable.
    """
    buffer = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if path.suffix == ".png":
        image.save(buffer, "PNG")
    else:
        image.save(buffer, "JPEG", quality=95, subsampling=0)
    atomic_write(path, buffer.getvalue())
