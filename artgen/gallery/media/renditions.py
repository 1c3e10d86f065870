"""The sizes and formats in which a site shows a picture: AVIF and JPEG, each at a few widths.

libvips shrinks while it decodes and works in strips, so memory does not grow with the picture. Every
file is sRGB, upright, 8 bits, without the original's metadata and with the piece's own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import ArtgenError

if TYPE_CHECKING:
    import pyvips

FORM = 4
"""Counted up whenever the same settings would give other files."""
# A rendition this near to the picture's own width is not worth its bytes.
NEAR = 0.8
# A picture this small is shown enlarged with its pixels visible: it is what the machine was given.
THUMBNAIL_SIDE = 128
LARGEST_SIDE = 65_000  # px; more is no picture but an attack
# px; what WebP's 14 bits hold, and AVIF's encoder in libheif takes. JPEG files are as large, so that pages
# need only one list of widths.
ENCODED_SIDE = 16_383


@dataclass(frozen=True)
class Sizes:
    """What is written of each picture.

    Args:
        widths: px, rising.
        formats: file endings, the best first; ``jpg`` is among them, for every reader knows it.
        jpeg_quality: 1 to 100.
        avif_quality: 1 to 100.
    """

    widths: tuple[int, ...] = (480, 960, 1600, 2560)
    formats: tuple[str, ...] = ("avif", "jpg")
    jpeg_quality: int = 86
    avif_quality: int = 60


@dataclass(frozen=True)
class Picture:
    """One picture as a page refers to it.

    Attributes:
        source: the file for readers that know no ``srcset``, relative to the site.
        width: of the original, px; for the page's reserved space.
        height: of the original, px.
        colour: the mean, as ``#rrggbb``: what is seen until the picture has come.
        files: by ending, (file, width) by rising width; empty for a thumbnail.
        pixelated: enlarge it with hard pixels.
    """

    source: str
    width: int
    height: int
    colour: str
    files: dict[str, tuple[tuple[str, int], ...]]
    pixelated: bool = False

    def written(self) -> list[str]:
        """Every file of it."""
        return list(dict.fromkeys([self.source, *(name for all_ in self.files.values() for name, _ in all_)]))


def render(file: Path, site: Path, name: str, sizes: Sizes, xmp: bytes) -> Picture:
    """Write the renditions of ``file`` into ``site/images`` and say where they are.

    Args:
        file: the picture: PNG, JPEG, WebP, AVIF or TIFF.
        site: the site's folder; ``images/`` exists in it.
        name: what the files' names begin with; what follows is divided by an underscore, which no slug has.
        sizes: which.
        xmp: what each says about itself.

    Raises:
        ArtgenError: the file is missing, damaged or no picture.
    """
    pyvips = vips()
    try:
        header = pyvips.Image.new_from_file(str(file), access="sequential").autorot()
        width, height = header.width, header.height
        _check_size(file, width, height)
        if max(width, height) <= THUMBNAIL_SIDE:
            return _thumbnail(_shown(file, width), site, name, xmp)
        wanted = _widths(width, height, sizes.widths)
        # The largest is made from the file, each smaller one from the one before: a quarter of the work.
        image = _shown(file, wanted[-1])
        colour = _colour(image)
        files: dict[str, list[tuple[str, int]]] = {ending: [] for ending in sizes.formats}
        for wide in reversed(wanted):
            if image.width > wide:
                image = image.thumbnail_image(wide, height=ENCODED_SIDE).copy_memory()
            for ending in sizes.formats:
                path = f"images/{name}_{wide}.{ending}"
                _save(image, site / path, ending, sizes, xmp)
                files[ending].insert(0, (path, wide))
    except pyvips.Error as error:
        raise explained(file, str(error)) from None
    jpeg = files["jpg"]
    return Picture(
        jpeg[min(1, len(jpeg) - 1)][0],
        width,
        height,
        colour,
        {ending: tuple(listed) for ending, listed in files.items()},
    )


def enlarged(file: Path, site: Path, path: str, xmp: bytes, width: int = 960) -> str:
    """Write a JPEG of a thumbnail, its pixels grown to squares, to ``site/path``; returns ``path``."""
    image = vips().Image.new_from_file(str(file))
    times = max(1, width // image.width)
    if image.height * times > width * 2:
        times = max(1, width * 2 // image.height)
    grown = image.colourspace("srgb").zoom(times, times)
    _described(grown, xmp).jpegsave(str(site / path), Q=90, optimize_coding=True, keep="xmp")
    return path


def taken(file: Path) -> str:
    """When a picture was taken by the camera's clock, ISO 8601, or the year alone; empty if no Exif tells."""
    image = vips().Image.new_from_file(str(file), access="sequential")
    field = "exif-ifd2-DateTimeOriginal"
    said = image.get(field)[:19] if field in image.get_fields() else ""
    if whole := re.fullmatch(r"((?:19|20)\d\d):(\d\d):(\d\d) (\d\d:\d\d:\d\d)", said, re.ASCII):
        return "{}-{}-{}T{}".format(*whole.groups())
    return said[:4] if re.fullmatch("(19|20)[0-9]{2}", said[:4]) else ""


def _widths(own: int, height: int, wanted: Sequence[int]) -> list[int]:
    largest = min(own, wanted[-1], ENCODED_SIDE)
    if round(largest * height / own) > ENCODED_SIDE:
        largest = max(1, ENCODED_SIDE * own // height)
    return [*(width for width in wanted if width < NEAR * largest), largest]


def _shown(file: Path, width: int) -> pyvips.Image:
    """The picture at a width: shrunk as it is decoded, upright, sRGB, on white."""
    pyvips = vips()
    settings = {"height": ENCODED_SIDE, "size": "down", "fail_on": "error"}
    header = pyvips.Image.new_from_file(str(file), access="sequential")
    if "icc-profile-data" in header.get_fields():  # without one it is sRGB, and ten times quicker
        settings["export_profile"] = "srgb"
    image = pyvips.Image.thumbnail(str(file), width, **settings).colourspace("srgb")
    if image.hasalpha():
        image = image.flatten(background=[255, 255, 255])
    return image.cast("uchar").copy_memory()


def _colour(image: pyvips.Image) -> str:
    small = image.thumbnail_image(1, height=1, size="force")
    return "#" + "".join(f"{round(value):02x}" for value in small(0, 0)[:3])


def _thumbnail(image: pyvips.Image, site: Path, name: str, xmp: bytes) -> Picture:
    path = f"images/{name}.png"
    _described(image, xmp).pngsave(str(site / path), keep="xmp", compression=9)
    return Picture(path, image.width, image.height, _colour(image), {}, pixelated=True)


def _save(image: pyvips.Image, file: Path, ending: str, sizes: Sizes, xmp: bytes) -> None:
    described = _described(image, xmp)
    if ending == "jpg":
        described.jpegsave(str(file), Q=sizes.jpeg_quality, interlace=True, optimize_coding=True, keep="xmp")
    elif ending == "webp":
        described.webpsave(str(file), Q=sizes.avif_quality, effort=4, keep="xmp")
    else:
        described.heifsave(str(file), Q=sizes.avif_quality, compression="av1", effort=1, keep="xmp")


def _described(image: pyvips.Image, xmp: bytes) -> pyvips.Image:
    image = image.copy()
    image.set_type(vips().GValue.blob_type, "xmp-data", xmp)
    return image


def _check_size(file: Path, width: int, height: int) -> None:
    if max(width, height) > LARGEST_SIDE:
        raise ArtgenError(str(file), f"{width} x {height} px", f"at most {LARGEST_SIDE:,} px a side")


def vips() -> Any:
    """Load libvips: one thread a process, closed to readers that were never meant for untrusted files."""
    os.environ.setdefault("VIPS_CONCURRENCY", "1")
    import pyvips

    pyvips.block_untrusted_set(True)
    pyvips.cache_set_max(0)  # every picture is used once
    return pyvips


def explained(file: Path, said: str) -> ArtgenError:
    """What libvips said of a file, in our words.

    Raises:
        OSError: as ``reason``.
    """
    if not file.exists():
        return ArtgenError(str(file), "missing", "put it back, or take back its pick")
    last = reason(file, said)
    if "too large" in said:
        return ArtgenError(str(file), f"too large to be shown ({last})", "give a smaller one")
    return ArtgenError(
        str(file), f"damaged ({last})", "give a whole one; a run's is made again once it is gone"
    )


def reason(file: Path, said: str) -> str:
    """Return the last line of what libvips said of a file.

    Raises:
        OSError: it was no fault of the file: nothing more can be written.
    """
    lines = said.strip().splitlines() or ["no reason given"]
    last = " ".join(lines[-1].split()).replace(str(file), file.name)
    if re.search("No space left|[Uu]nable to (write|open for write)|write error", said):
        raise OSError(last)
    return last
