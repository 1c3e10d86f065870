"""Renditions: a picture in the widths and file formats in which a site shows it.

libvips shrinks while it decodes and works in strips, so memory does not grow with the picture. Every
file is sRGB, upright, 8 bits, with our metadata instead of the original's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ExifTags

from artgen.errors import ArtgenError
from artgen.gallery.media.source_picture import SourcePicture, decoding_error
from artgen.imaging.io.libvips import load_vips
from artgen.imaging.io.opening import UnknownFormatError, open_image

if TYPE_CHECKING:
    import pyvips

RENDITION_VERSION = 5
"""Raised whenever the same settings would give other files."""
# A rendition whose width is closer to the largest one's is not worth its bytes.
MAX_SMALLER_WIDTH_RATIO = 0.8
# px; a smaller picture is a machine's input, and is shown enlarged so that its pixels are visible.
MAX_ENLARGED_PICTURE_SIDE_PX = 128
MAX_SOURCE_SIDE_PX = 65_000  # px; a larger size in a header is an attack rather than a picture
# px; the limit of WebP (14 bits) and of libheif's AVIF encoder. JPEG files have the same limit, so that pages
# need only one list of widths.
MAX_ENCODED_SIDE_PX = 16_383


@dataclass(frozen=True)
class RenditionSettings:
    """Widths, formats and qualities of the renditions that are written of each picture.

    Attributes:
        widths: px, rising.
        formats: file endings, the best first, among them ``jpg``, which every browser knows.
        jpeg_quality: 1 to 100.
        avif_quality: of AVIF and WebP files, 1 to 100.
    """

    widths: tuple[int, ...] = (480, 960, 1600, 2560)
    formats: tuple[str, ...] = ("avif", "jpg")
    jpeg_quality: int = 86
    avif_quality: int = 60


@dataclass(frozen=True)
class RenditionSet:
    """The renditions of one picture, as a page refers to them.

    Attributes:
        source: file for browsers without ``srcset``, relative to the site.
        width: of the original, px; pages reserve its space.
        height: of the original, px.
        colour: the mean, as ``#rrggbb``, shown until the picture has loaded.
        files: by file ending: pairs of file and width, by rising width; empty for a thumbnail.
        pixelated: whether it is enlarged with hard pixels.
    """

    source: str
    width: int
    height: int
    colour: str
    files: dict[str, tuple[tuple[str, int], ...]]
    pixelated: bool = False

    def list_files(self) -> list[str]:
        """List every file of a picture's renditions, relative to the site."""
        names = (name for files_and_widths in self.files.values() for name, _ in files_and_widths)
        return list(dict.fromkeys([self.source, *names]))


def write_renditions(
    file: Path, site: Path, name: str, settings: RenditionSettings, xmp: bytes
) -> RenditionSet:
    """Write the renditions of a picture into ``site/images``.

    Args:
        file: the picture, in any format that artgen reads.
        site: the site's folder; ``images/`` exists in it.
        name: beginning of the files' names; an underscore, which no slug contains, ends it.
        settings: widths, formats and qualities.
        xmp: XMP packet of each file.

    Raises:
        ArtgenError: the file is missing, damaged or no picture.
    """
    pyvips = load_vips()
    try:
        picture = SourcePicture(file)
        source_width, source_height = picture.width, picture.height
        _check_size(file, source_width, source_height)
        if max(source_width, source_height) <= MAX_ENLARGED_PICTURE_SIDE_PX:
            return _write_thumbnail(picture.shrink(source_width, MAX_ENCODED_SIDE_PX), site, name, xmp)
        widths = _choose_widths(source_width, source_height, settings.widths)
        # The largest is decoded from the file, each smaller one is made from the one before: a quarter of the
        # work.
        image = picture.shrink(widths[-1], MAX_ENCODED_SIDE_PX)
        colour = _mean_colour(image)
        files: dict[str, list[tuple[str, int]]] = {ending: [] for ending in settings.formats}
        for width in reversed(widths):
            if image.width > width:
                image = image.thumbnail_image(width, height=MAX_ENCODED_SIDE_PX).copy_memory()
            for ending in settings.formats:
                path = f"images/{name}_{width}.{ending}"
                _save(image, site / path, ending, settings, xmp)
                files[ending].insert(0, (path, width))
    except pyvips.Error as error:
        raise decoding_error(file, str(error)) from None
    jpegs = files["jpg"]
    return RenditionSet(
        jpegs[min(1, len(jpegs) - 1)][0],
        source_width,
        source_height,
        colour,
        {ending: tuple(files_and_widths) for ending, files_and_widths in files.items()},
    )


def write_enlarged(file: Path, site: Path, path: str, xmp: bytes, width: int = 960) -> str:
    """Write a JPEG of a thumbnail with each pixel enlarged to a square.

    Args:
        file: the thumbnail.
        site: the site's folder.
        path: where the JPEG goes, relative to ``site``.
        xmp: its XMP packet.
        width: largest width of the JPEG, px; its height is at most twice that.

    Returns:
        ``path``.
    """
    image = load_vips().Image.new_from_file(str(file))
    factor = max(1, width // image.width)
    if image.height * factor > width * 2:
        factor = max(1, width * 2 // image.height)
    enlarged = image.colourspace("srgb").zoom(factor, factor)
    _with_xmp(enlarged, xmp).jpegsave(str(site / path), Q=90, optimize_coding=True, keep="xmp")
    return path


def read_date_taken(file: Path) -> str:
    """Read from Exif when a picture was taken.

    Returns:
        Local time in ISO 8601, with its offset from UTC if Exif states it; or the year alone; else empty.

    Raises:
        ArtgenError: the file cannot be opened.
    """
    try:
        with open_image(file) as image:
            # Pillow would decode a whole PNG to look for Exif behind the pixels.
            has_exif = image.format != "PNG" or "exif" in image.info
            fields = image.getexif().get_ifd(ExifTags.IFD.Exif) if has_exif else {}
    except UnknownFormatError:  # a kind of TIFF that no camera writes
        return ""
    date, offset = (
        value if isinstance(value := fields.get(tag), str) else ""
        for tag in (ExifTags.Base.DateTimeOriginal, ExifTags.Base.OffsetTimeOriginal)
    )
    full_date = r"([12]\d{3}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)"
    if match := re.fullmatch(full_date, date[:19], re.ASCII):
        zone = offset[:6] if re.fullmatch(r"[+-]\d\d:\d\d", offset[:6], re.ASCII) else ""
        return "{}-{}-{}T{}".format(*match.groups()) + zone
    return date[:4] if re.fullmatch("[12][0-9]{3}", date[:4]) else ""


def _choose_widths(source_width: int, source_height: int, widths: Sequence[int]) -> list[int]:
    """Choose the widths of renditions, rising: none larger than the picture or than encoders allow."""
    largest = min(source_width, widths[-1], MAX_ENCODED_SIDE_PX)
    if round(largest * source_height / source_width) > MAX_ENCODED_SIDE_PX:
        largest = max(1, MAX_ENCODED_SIDE_PX * source_width // source_height)
    return [*(width for width in widths if width < MAX_SMALLER_WIDTH_RATIO * largest), largest]


def _mean_colour(image: pyvips.Image) -> str:
    """Return a picture's mean colour as ``#rrggbb``, shown until the picture is loaded."""
    pixel = image.thumbnail_image(1, height=1, size="force")
    return "#" + "".join(f"{round(value):02x}" for value in pixel(0, 0)[:3])


def _write_thumbnail(image: pyvips.Image, site: Path, name: str, xmp: bytes) -> RenditionSet:
    """Write a small picture as one PNG without loss."""
    path = f"images/{name}.png"
    _with_xmp(image, xmp).pngsave(str(site / path), keep="xmp", compression=9)
    return RenditionSet(path, image.width, image.height, _mean_colour(image), {}, pixelated=True)


def _save(image: pyvips.Image, file: Path, ending: str, settings: RenditionSettings, xmp: bytes) -> None:
    image = _with_xmp(image, xmp)
    if ending == "jpg":
        image.jpegsave(str(file), Q=settings.jpeg_quality, interlace=True, optimize_coding=True, keep="xmp")
    elif ending == "webp":
        image.webpsave(str(file), Q=settings.avif_quality, effort=4, keep="xmp")
    else:
        image.heifsave(str(file), Q=settings.avif_quality, compression="av1", effort=1, keep="xmp")


def _with_xmp(image: pyvips.Image, xmp: bytes) -> pyvips.Image:
    """Return a copy of a rendition that has an XMP packet."""
    image = image.copy()
    image.set_type(load_vips().GValue.blob_type, "xmp-data", xmp)
    return image


def _check_size(file: Path, width: int, height: int) -> None:
    if max(width, height) > MAX_SOURCE_SIDE_PX:
        raise ArtgenError(str(file), f"{width} x {height} px", f"at most {MAX_SOURCE_SIDE_PX:,} px a side")
