"""libvips, which decodes in strips: its loading, and the TIFFs that Pillow does not know."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from artgen.errors import ArtgenError
from artgen.imaging.io.decode import find_white, to_unit_range
from artgen.imaging.io.opening import TIFF_SIGNATURES

if TYPE_CHECKING:
    import pyvips

    ImageArray = NDArray[np.float32]

# Of ICC profiles, as Pillow converts them.
RENDERING_INTENT = "perceptual"
FLOAT_FORMATS = ("float", "double")
LAB_INTERPRETATIONS = ("lab", "labs", "labq")
_STRIP_PIXELS = 4_000_000


def load_vips() -> Any:
    """Import pyvips with one thread a process, and without readers that are unsafe for untrusted files."""
    os.environ.setdefault("VIPS_CONCURRENCY", "1")
    import pyvips

    pyvips.block_untrusted_set(True)
    pyvips.cache_set_max(0)  # every picture is used once
    return pyvips


def convert_profile(image: pyvips.Image, depth: int = 8) -> pyvips.Image:
    """Convert an image by its embedded profile to sRGB of 8 or 16 bits.

    In two steps: for 16 bits in one, Little CMS uses a coarse table, wrong near black by 13/255.
    """
    imported = image.icc_import(embedded=True, intent=RENDERING_INTENT)
    return imported.icc_export(output_profile="srgb", depth=depth, intent=RENDERING_INTENT)


def last_vips_message(file: Path, vips_message: str) -> str:
    """Return the last line of libvips' message about a file.

    Raises:
        OSError: the message says that nothing more can be written, which is no fault of the file.
    """
    lines = vips_message.strip().splitlines() or ["no reason given"]
    reason = " ".join(lines[-1].split()).replace(str(file), file.name)
    if re.search("No space left|[Uu]nable to (write|open for write)|write error", vips_message):
        raise OSError(reason)
    return reason


def open_unusual_tiff(path: Path) -> pyvips.Image | None:
    """Open a TIFF of float colours, or of Lab in 16 bits, upright; None for a file of another kind.

    Raises:
        ArtgenError: it is damaged.
    """
    with path.open("rb") as file:
        if file.read(4) not in TIFF_SIGNATURES:
            return None
    vips = load_vips()
    try:
        # Not in sequence: a picture may have to be turned. libvips keeps a large one in a temporary file.
        image = vips.Image.tiffload(str(path), fail_on="error").autorot()
    except vips.Error as error:
        raise _damaged(path, error) from None
    is_unusual = image.format in FLOAT_FORMATS or image.interpretation in LAB_INTERPRETATIONS
    return image if is_unusual else None


def read_unusual_tiff(path: Path, max_pixels: int) -> ImageArray | None:
    """Read such a TIFF as float32 ``(3, H, W)``, upright, on white; None for a file of another kind.

    Float colours from 0 to 1, to 255 or to 65535 are sRGB-encoded, unless a profile says otherwise.

    Raises:
        ArtgenError: it is damaged, or has more than ``max_pixels``.
    """
    image = open_unusual_tiff(path)
    if image is None:
        return None
    width, height = image.width, image.height
    if width * height > max_pixels:
        problem = f"{width} x {height} px is more than the {max_pixels / 1e6:.0f} million that are read"
        raise ArtgenError(str(path), problem, "give a smaller copy")
    planes = np.empty((3, height, width), np.float32)
    try:
        white = max(find_white(strip) for _, strip in _read_strips(image))
        for top, strip in _read_strips(image):
            planes[:, top : top + len(strip)] = _to_srgb(strip, white, image).transpose(2, 0, 1)
    except load_vips().Error as error:
        raise _damaged(path, error) from None
    return planes


def _damaged(path: Path, error: Exception) -> ArtgenError:
    problem = f"damaged or truncated ({last_vips_message(path, str(error))})"
    return ArtgenError(str(path), problem, "give a whole TIFF file")


def _read_strips(image: pyvips.Image) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the first row and the float pixels ``(H, W, bands)`` of each strip; Lab is converted to RGB."""
    if image.interpretation in LAB_INTERPRETATIONS:
        image = image.colourspace("rgb16").cast("float") / 65535
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop(0, top, image.width, min(rows, image.height - top)).numpy()
        yield top, strip.reshape(-1, image.width, image.bands)


def _to_srgb(strip: NDArray[Any], white: float, header: pyvips.Image) -> ImageArray:
    """Convert a strip of grey or RGB, perhaps with alpha, to sRGB ``(H, W, 3)`` on white."""
    unit = to_unit_range(strip, white)
    colours, alpha = (unit[..., :1], unit[..., 1:2]) if unit.shape[2] < 3 else (unit[..., :3], unit[..., 3:4])
    if "icc-profile-data" in header.get_fields() and header.interpretation not in LAB_INTERPRETATIONS:
        colours = _apply_profile(colours, header.get("icc-profile-data"))
    srgb: ImageArray = np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else colours
    return srgb * alpha + (1 - alpha) if alpha.size else srgb


def _apply_profile(colours: ImageArray, profile: bytes) -> ImageArray:
    """Convert colours in [0, 1] by a profile, in 16 bits; one that does not fit is ignored."""
    pyvips = load_vips()
    image = pyvips.Image.new_from_array(np.ascontiguousarray((colours * 65535).round().astype(np.uint16)))
    image = image.copy(interpretation="rgb16" if image.bands == 3 else "grey16")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    try:
        converted = convert_profile(image, depth=16).numpy()
    except pyvips.Error:
        return colours
    transformed: ImageArray = converted.astype(np.float32) / np.float32(65535)
    return transformed
