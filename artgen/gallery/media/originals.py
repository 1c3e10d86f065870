"""The picture as it was made, to download: not one pixel coded anew, only its words put in.

What else a file carries stays, such as the provenance from which ``artgen reproduce`` makes it again; but
where a photograph was taken is taken out.
"""

from __future__ import annotations

import io
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from artgen.gallery.media.avif import clean_items
from artgen.gallery.media.exif_gps import without_place
from artgen.gallery.media.films import forget_place
from artgen.gallery.media.iptc import blocks_without_place
from artgen.gallery.media.isobmff import replace_words
from artgen.gallery.media.tiff import copy_tiff
from artgen.gallery.media.webp import copy_webp
from artgen.imaging.io.png_text import SIGNATURE

KINDS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WebP",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
# The first boxes of AVIF, MP4 and QuickTime files.
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_KEYWORD = b"XML:com.adobe.xmp"
_APP1, _XMP, _MORE = b"\xff\xe1", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_EXIF = b"Exif\0\0"
_APP13, _PHOTOSHOP = b"\xff\xed", b"Photoshop 3.0\0"
# ImageMagick's way to put Exif, IPTC and XMP into a PNG, from before there were chunks for them.
_PROFILES = tuple(b"raw profile type " + kind + b"\0" for kind in (b"exif", b"app1", b"iptc", b"xmp"))
_LONGEST = 65_533 - len(_XMP)  # bytes that a JPEG segment holds beside its name


def write_original(file: Path, target: Path, xmp: bytes) -> None:
    """Copy a picture with its words in it.

    Args:
        file: a whole picture; it was decoded before.
        target: the copy.
        xmp: the packet; one that the file has is replaced.

    Raises:
        ValueError: the file is none of its kind after all.
    """
    with file.open("rb") as source, target.open("wb+") as copy:
        begin = source.read(8)
        source.seek(0)
        if begin == SIGNATURE:
            _png(source, copy, xmp)
        elif begin.startswith(b"\xff\xd8") and len(xmp) <= _LONGEST:
            _jpeg(source, copy, xmp)
        elif begin.startswith(b"RIFF"):
            copy_webp(source, copy, xmp)
        elif begin[:4] in (b"II*\0", b"MM\0*"):
            copy_tiff(source, copy, xmp)
        else:
            shutil.copyfileobj(source, copy)
            if begin[4:] in _BOXES:
                clean_items(copy, xmp)
                forget_place(copy)
                replace_words(copy, xmp)


def _png(source: BinaryIO, copy: BinaryIO, xmp: bytes) -> None:
    """Chunk by chunk; the words come right after the header, where readers that stop early find them."""
    copy.write(source.read(8))
    while len(head := source.read(8)) == 8:
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind in (b"tEXt", b"zTXt", b"iTXt") and length < 1 << 24:
            data = source.read(length + 4)
            named = data[:80].lower()  # a keyword has at most 79 bytes
            if data.startswith(_KEYWORD + b"\0") or named.startswith(_PROFILES):
                continue
            copy.write(head + data)
            continue
        if kind == b"eXIf" and length < 1 << 24:
            _chunk(copy, kind, without_place(source.read(length)))
            source.read(4)
            continue
        copy.write(head)
        _pass(source, copy, length + 4)
        if kind == b"IHDR":
            _chunk(copy, b"iTXt", _KEYWORD + b"\0" * 5 + xmp)  # neither compressed nor in a language
        if kind == b"IEND":
            return
    raise ValueError("a PNG without an end")


def _chunk(copy: BinaryIO, kind: bytes, data: bytes) -> None:
    check = zlib.crc32(kind + data)
    copy.write(len(data).to_bytes(4, "big") + kind + data + check.to_bytes(4, "big"))


def _jpeg(source: BinaryIO, copy: BinaryIO, xmp: bytes) -> None:
    copy.write(source.read(2))
    segment = _XMP + xmp
    # The standards want JFIF's segment first, then Exif's; the words go behind them.
    first = True
    for marker, data in _segments(source):
        if marker == _APP1 and data.startswith((_XMP, _MORE)):
            continue
        if marker == _APP1 and data.startswith(_EXIF):
            data = _EXIF + without_place(data[len(_EXIF) :])
        if marker == _APP13:
            kept = blocks_without_place(data.removeprefix(_PHOTOSHOP)) if data.startswith(_PHOTOSHOP) else b""
            if not kept:
                continue
            data = _PHOTOSHOP + kept
        if first and not (marker == b"\xff\xe0" or (marker == _APP1 and data.startswith(_EXIF))):
            copy.write(_APP1 + (len(segment) + 2).to_bytes(2, "big") + segment)
            first = False
        copy.write(marker + (len(data) + 2).to_bytes(2, "big") + data)
        if marker == b"\xff\xda":
            break
    shutil.copyfileobj(source, copy)


def _segments(source: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Up to the beginning of the picture itself."""
    while True:
        marker = source.read(2)
        while marker == b"\xff\xff":  # padding
            marker = b"\xff" + source.read(1)
        length = int.from_bytes(source.read(2), "big")
        if marker[:1] != b"\xff" or length < 2:
            raise ValueError("a JPEG whose segments cannot be followed")
        yield marker, source.read(length - 2)
        if marker == b"\xff\xda":
            return


def _pass(source: BinaryIO, copy: BinaryIO, length: int) -> None:
    while length > 0:
        block = source.read(min(length, io.DEFAULT_BUFFER_SIZE * 16))
        if not block:
            raise ValueError("a PNG that ends too early")
        copy.write(block)
        length -= len(block)
