"""Pictures saved again without loss: WebP, AVIF, GIF and BMP by Pillow, TIFF by libvips.

A library decodes the picture and writes a new file with only what it is given: the pixels, the colour
profile, the resolution, Exif and captions without the location, and our XMP.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import ArtgenError
from artgen.gallery.media.exif_gps import remove_gps
from artgen.gallery.media.iptc import remove_locations_from_blocks, remove_locations_from_records
from artgen.imaging.io.libvips import last_vips_message, load_vips
from artgen.imaging.io.opening import MAX_PIXELS, open_image

if TYPE_CHECKING:
    from PIL.Image import Image

# By file ending: Pillow's name of the format, and the ending of a format that holds the same without loss.
RESAVE_FORMATS = {
    ".webp": ("WEBP", ".webp"),
    ".gif": ("GIF", ".webp"),
    ".avif": ("AVIF", ".png"),
    ".bmp": ("BMP", ".png"),
    ".tif": ("TIFF", ".tif"),
    ".tiff": ("TIFF", ".tiff"),
}
_EXIF_MARKER = b"Exif\0\0"
# Primaries and transfer function of an AVIF (ISO/IEC 23091-2), which Pillow does not report.
_AVIF_COLOUR_BOX = re.compile(rb"colrnclx\0([^\x02])\0(.)", re.DOTALL)
_AVIF_HEADER_BYTES = 1 << 16  # the part of an AVIF that is searched for them
_MAX_CLASSIC_TIFF_BYTES = 4_000_000_000  # of pixels; more needs BigTIFF, because offsets have 32 bits


def resave_losslessly(file: Path, target: Path, xmp: bytes) -> None:
    """Save a picture again with the same decoded pixels, without the location where it was taken.

    Args:
        file: the picture; its ending is one of ``RESAVE_FORMATS``.
        target: path of the copy, with the ending that ``RESAVE_FORMATS`` names.
        xmp: XMP packet; it replaces that of the file.

    Raises:
        ArtgenError: the file is damaged or of another format, or something would be lost.
        OSError: the disk is full.
    """
    expected_format, _ = RESAVE_FORMATS[file.suffix.lower()]
    if expected_format == "TIFF":
        _save_tiff(file, target, xmp)
        return
    with open_image(file) as image:
        if image.format != expected_format:
            raise _build_lossy_error(file, f"{image.format} by its content")
        if image.width * image.height > MAX_PIXELS:
            raise _build_lossy_error(file, f"more than {MAX_PIXELS // 1_000_000} million pixels")
        exif = remove_gps(image.info.get("exif", b"").removeprefix(_EXIF_MARKER))
        metadata = {"icc_profile": image.info.get("icc_profile"), **({"exif": exif} if exif else {})}
        try:
            if target.suffix == ".webp":
                animation = _animation_options(image)
                image.save(target, "WEBP", lossless=True, exact=True, xmp=xmp, **metadata, **animation)
            else:
                chunks = _png_chunks(file, image, xmp)
                image.save(target, "PNG", pnginfo=chunks, dpi=image.info.get("dpi"), **metadata)
        except Exception as error:  # decoders of damaged files raise many kinds of errors
            if (
                isinstance(error, ArtgenError) or getattr(error, "errno", None) is not None
            ):  # the disk's fault
                raise
            raise _build_lossy_error(file, f"damaged ({error})") from None


def _animation_options(image: Image) -> dict[str, Any]:
    """Return Pillow's options to save all frames with their durations; empty for a single picture."""
    durations = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        image.load()
        durations.append(image.info.get("duration", 0))
    image.seek(0)
    if len(durations) == 1:
        return {}
    return {"save_all": True, "duration": durations, "loop": image.info.get("loop", 1)}


def _png_chunks(file: Path, image: Image, xmp: bytes) -> Any:
    """Make the PNG chunks for XMP, and for the colours of an AVIF that has no colour profile.

    Raises:
        ArtgenError: an AVIF of more than one frame, or of more than 8 bits, which Pillow would cut.
    """
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", xmp.decode())
    if image.format == "AVIF":
        if getattr(image, "n_frames", 1) > 1:
            raise _build_lossy_error(file, "an AVIF of several frames")
        try:
            bits = load_vips().Image.heifload(str(file)).get("bits-per-sample")
        except load_vips().Error as error:
            raise _build_lossy_error(file, f"damaged ({last_vips_message(file, str(error))})") from None
        if bits > 8:
            raise _build_lossy_error(file, f"an AVIF of {bits} bits a channel")
        with file.open("rb") as stream:
            colours = _AVIF_COLOUR_BOX.search(stream.read(_AVIF_HEADER_BYTES))
        if colours and "icc_profile" not in image.info:
            chunks.add(b"cICP", colours[1] + colours[2] + b"\0\1")  # RGB, full range
    return chunks


def _save_tiff(file: Path, target: Path, xmp: bytes) -> None:
    """Save all pages of a TIFF in strips, so that memory does not grow, then compare every pixel."""
    pyvips = load_vips()
    location_removers = {"iptc-data": _clean_iptc_field, "photoshop-data": remove_locations_from_blocks}
    try:
        image = _load_tiff_pages(file).copy()
        for field in location_removers.keys() & set(image.get_fields()):
            image.set_type(pyvips.GValue.blob_type, field, location_removers[field](image.get(field)))
        image.set_type(pyvips.GValue.blob_type, "xmp-data", xmp)
        bits = image.get("bits-per-sample")
        predictor = "float" if image.format in ("float", "double") else "horizontal"
        image.tiffsave(
            str(target),
            compression="deflate",
            predictor=predictor if bits >= 8 else "none",
            bitdepth=1 if bits == 1 else 0,
            bigtiff=image.width * image.height * image.bands * bits // 8 > _MAX_CLASSIC_TIFF_BYTES,
        )
        before, after = _load_tiff_pages(file), _load_tiff_pages(target)
        same_kind = all(
            getattr(before, name) == getattr(after, name) for name in ("format", "interpretation")
        )
        if not same_kind or (before == after).min() == 0:
            raise _build_lossy_error(file, "a TIFF that would not be the same")
    except pyvips.Error as error:
        problem = f"a TIFF that libvips cannot follow ({last_vips_message(file, str(error))})"
        raise _build_lossy_error(file, problem) from None


def _clean_iptc_field(records: bytes) -> bytes:
    """Remove place names from a TIFF's IPTC, and pad it: libvips writes a quarter of the field."""
    cleaned = remove_locations_from_records(records)
    return cleaned.ljust(4 * len(cleaned), b"\0")


def _load_tiff_pages(file: Path) -> Any:
    return load_vips().Image.tiffload(str(file), n=-1, access="sequential", fail_on="error")


def _build_lossy_error(file: Path, problem: str) -> ArtgenError:
    """Build the error for an original that would lose something when it is saved again."""
    return ArtgenError(str(file), f"{problem}: it cannot be saved again without loss", "give a PNG or JPEG")
