"""Writing of images as PNG, JPEG, WebP or TIFF, by the suffix of the file's name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import ArtgenError
from artgen.imaging.io.files import atomic_write, encode_image, write_png

if TYPE_CHECKING:
    from torch import Tensor

# Pillow's name of each format, and its options; JPEG keeps colour at full resolution.
FORMATS_BY_SUFFIX: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0, "optimize": True}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0, "optimize": True}),
    ".webp": ("WEBP", {"quality": 95, "method": 4}),
    ".tif": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ".tiff": ("TIFF", {"compression": "tiff_adobe_deflate"}),
}


def check_suffix(path: Path) -> None:
    """Check that an image can be written under this name.

    Raises:
        ArtgenError: the suffix is not in ``FORMATS_BY_SUFFIX``.
    """
    if path.suffix.lower() not in FORMATS_BY_SUFFIX:
        problem = f"a picture that ends in {path.suffix or 'nothing'}"
        raise ArtgenError(str(path), problem, f"a name that ends in {', '.join(FORMATS_BY_SUFFIX)}")


def write_image(path: Path, image: Tensor, text: Mapping[str, str] | None = None) -> None:
    """Write an 8-bit sRGB image atomically, as PNG, JPEG, WebP or TIFF.

    Args:
        path: the file; its folder exists.
        image: ``(3, H, W)``, ``[0, 1]``.
        text: text chunks by keyword for a PNG; other formats get none.

    Raises:
        ArtgenError: the suffix is unknown, or the image has more pixels than the format allows.
        WriteError: the disk is full or the folder not writable.
    """
    check_suffix(path)
    format_name, options = FORMATS_BY_SUFFIX[path.suffix.lower()]
    if format_name == "PNG":
        write_png(path, image, text or {})
        return
    try:
        encoded = encode_image(image, format_name, **options)
    except (OSError, ValueError) as error:  # a side is at most 16,383 px in WebP, 65,535 px in JPEG
        height, width = image.shape[-2:]
        problem = f"{width} x {height} px cannot be written as {format_name} ({error})"
        raise ArtgenError(str(path), problem, "give a name that ends in .png") from error
    atomic_write(path, encoded)
