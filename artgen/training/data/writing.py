"""Training pictures on disk: JPEG that loses nothing to be seen, or PNG; whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from artgen.imaging.io.files import atomic_write


def write_training_image(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """Write ``(H, W, 3)`` by the ending of ``path``: ``.jpg`` at quality 95 with full colour, or ``.png``.

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
