"""Pictures saved again without loss: WebP, AVIF, GIF and BMP by Pillow, TIFF by libvips.

A library reads the picture and writes another file, which holds only what it is handed: the decoded pixels,
the colour profile, the resolution, Exif and captions without the place, and our XMP.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import ArtgenError
from artgen.gallery.media.exif_gps import without_place
from artgen.gallery.media.iptc import blocks_without_place, records_without_place
from artgen.gallery.media.renditions import reason, vips
from artgen.imaging.io.files import MAX_PIXELS, open_image

if TYPE_CHECKING:
    from PIL.Image import Image

# By ending: the format that a file must be of, and the ending of one that holds the same without loss.
SAVED_AS = {
    ".webp": ("WEBP", ".webp"),
    ".gif": ("GIF", ".webp"),
    ".avif": ("AVIF", ".png"),
    ".bmp": ("BMP", ".png"),
    ".tif": ("TIFF", ".tif"),
    ".tiff": ("TIFF", ".tiff"),
}
_EXIF = b"Exif\0\0"
# Primaries and transfer of an AVIF's colours (ISO/IEC 23091-2), which Pillow does not report.
_COLOURS = re.compile(rb"colrnclx\0([^\x02])\0(.)", re.DOTALL)
_HEADER_BYTES = 1 << 16  # of an AVIF, in which they are looked for
_CLASSIC_BYTES = 4_000_000_000  # of pixels: a TIFF with offsets of 32 bits has room for them


def resave(file: Path, target: Path, xmp: bytes) -> None:
    """Save a picture again: the same decoded pixels, without the place where it was taken.

    Args:
        file: the picture; its ending is one of ``SAVED_AS``.
        target: the copy, with the ending that ``SAVED_AS`` names.
        xmp: the packet; one that the file has is left out.

    Raises:
        ArtgenError: the file is damaged or of another format, or something would be lost.
        OSError: nothing more can be written.
    """
    wanted, _ = SAVED_AS[file.suffix.lower()]
    if wanted == "TIFF":
        _save_tiff(file, target, xmp)
        return
    with open_image(file) as image:
        if image.format != wanted:
            raise _refused(file, f"{image.format} by its content")
        if image.width * image.height > MAX_PIXELS:
            raise _refused(file, f"more than {MAX_PIXELS // 1_000_000} million pixels")
        exif = without_place(image.info.get("exif", b"").removeprefix(_EXIF))
        described = {"icc_profile": image.info.get("icc_profile"), **({"exif": exif} if exif else {})}
        try:
            if target.suffix == ".webp":
                image.save(target, "WEBP", lossless=True, exact=True, xmp=xmp, **described, **_frames(image))
            else:
                chunks = _png_chunks(file, image, xmp)
                image.save(target, "PNG", pnginfo=chunks, dpi=image.info.get("dpi"), **described)
        except Exception as error:  # decoders of broken files raise nearly anything
            if isinstance(error, ArtgenError) or getattr(error, "errno", None) is not None:  # or the disk
                raise
            raise _refused(file, f"damaged ({error})") from None


def _frames(image: Image) -> dict[str, Any]:
    """How long each frame of an animation is shown; nothing for a single picture."""
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
    """XMP, and the colours of an AVIF that names them without a profile.

    Raises:
        ArtgenError: an AVIF of more than one frame, or of more than 8 bits, which Pillow cuts off.
    """
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", xmp.decode())
    if image.format == "AVIF":
        if getattr(image, "n_frames", 1) > 1:
            raise _refused(file, "an AVIF of several frames")
        try:
            bits = vips().Image.heifload(str(file)).get("bits-per-sample")
        except vips().Error as error:
            raise _refused(file, f"damaged ({reason(file, str(error))})") from None
        if bits > 8:
            raise _refused(file, f"an AVIF of {bits} bits a channel")
        with file.open("rb") as stream:
            colours = _COLOURS.search(stream.read(_HEADER_BYTES))
        if colours and "icc_profile" not in image.info:
            chunks.add(b"cICP", colours[1] + colours[2] + b"\0\1")  # RGB, full range
    return chunks


def _save_tiff(file: Path, target: Path, xmp: bytes) -> None:
    """Save all pages, in strips, so that memory does not grow with the picture; then compare every pixel."""
    pyvips = vips()
    cleaned = {"iptc-data": _records, "photoshop-data": blocks_without_place}
    try:
        image = _pages(file).copy()
        for field in cleaned.keys() & set(image.get_fields()):
            image.set_type(pyvips.GValue.blob_type, field, cleaned[field](image.get(field)))
        image.set_type(pyvips.GValue.blob_type, "xmp-data", xmp)
        bits = image.get("bits-per-sample")
        predictor = "float" if image.format in ("float", "double") else "horizontal"
        image.tiffsave(
            str(target),
            compression="deflate",
            predictor=predictor if bits >= 8 else "none",
            bitdepth=1 if bits == 1 else 0,
            bigtiff=image.width * image.height * image.bands * bits // 8 > _CLASSIC_BYTES,
        )
        before, after = _pages(file), _pages(target)
        same = all(getattr(before, name) == getattr(after, name) for name in ("format", "interpretation"))
        if not same or (before == after).min() == 0:
            raise _refused(file, "a TIFF that would not be the same")
    except pyvips.Error as error:
        raise _refused(file, f"a TIFF that libvips cannot follow ({reason(file, str(error))})") from None


def _records(records: bytes) -> bytes:
    """Records without the place, and zeros behind them: of what it is handed libvips writes a quarter."""
    cleaned = records_without_place(records)
    return cleaned.ljust(4 * len(cleaned), b"\0")


def _pages(file: Path) -> Any:
    return vips().Image.tiffload(str(file), n=-1, access="sequential", fail_on="error")


def _refused(file: Path, found: str) -> ArtgenError:
    return ArtgenError(str(file), f"{found}: it cannot be saved again without loss", "give a PNG or JPEG")
