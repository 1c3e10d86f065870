"""Pictures written in the format that their file's ending asks for."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import ArtgenError
from artgen.imaging.io.files import atomic_write, to_pillow, write_png

if TYPE_CHECKING:
    from torch import Tensor

# Pillow's name of each format, and how it is written; JPEG with colours as fine as its greys.
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0, "optimize": True}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0, "optimize": True}),
    ".webp": ("WEBP", {"quality": 95, "method": 4}),
    ".tif": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ".tiff": ("TIFF", {"compression": "tiff_adobe_deflate"}),
}


def check_ending(path: Path) -> None:
    """Refuse a name that no format goes with.

    Raises:
        ArtgenError: the ending is none of ``WAYS``.
    """
    if path.suffix.lower() not in WAYS:
        found = f"a picture that ends in {path.suffix or 'nothing'}"
        raise ArtgenError(str(path), found, f"a name that ends in {', '.join(WAYS)}")


def write_picture(path: Path, image: Tensor, text: Mapping[str, str] | None = None) -> None:
    """Write an 8-bit sRGB picture atomically, as PNG, JPEG, WebP or TIFF.

    Args:
        path: the file; its folder exists.
        image: ``(3, H, W)``, ``[0, 1]``.
        text: chunks by keyword, of a PNG; the others carry none.

    Raises:
        ArtgenError: no such ending, or more pixels than the format holds.
        WriteError: the disk is full or the folder not writable.
    """
    check_ending(path)
    format_, options = WAYS[path.suffix.lower()]
    if format_ == "PNG":
        write_png(path, image, text or {})
        return
    buffer = io.BytesIO()
    try:
        to_pillow(image).save(buffer, format_, **options)
    except (OSError, ValueError) as error:  # WebP ends at 16,383 px, JPEG at 65,535
        height, width = image.shape[-2:]
        found = f"{width} x {height} px cannot be written as {format_} ({error})"
        raise ArtgenError(str(path), found, "name a .png") from error
    atomic_write(path, buffer.getvalue())
