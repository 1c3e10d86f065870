"""Which pictures libvips decodes, in strips, to the pixels that ``read_image`` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from artgen.imaging.io.decode import states_other_gamma

if TYPE_CHECKING:
    import PIL.Image

# AVIF, HEIC, GIF, JPEG 2000 and BMP are decoded whole by any library.
STREAMED_FORMATS = frozenset({"PNG", "JPEG", "MPO", "WEBP", "TIFF"})
BANDS_BY_MODE = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "I;16": 1, "I;16B": 1}


def can_be_streamed(image: PIL.Image.Image, vips_bands: int) -> bool:
    """Return whether libvips shows a picture as ``read_image`` does, to 2/255.

    Args:
        image: the picture, opened and not decoded.
        vips_bands: number of bands that libvips finds in it.
    """
    return (
        image.format in STREAMED_FORMATS
        and BANDS_BY_MODE.get(image.mode) == vips_bands
        and "transparency" not in image.info
        and not states_other_gamma(image)
    )
