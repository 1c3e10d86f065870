"""The picture as it was made, to download: no pixel changed, our words put in, the place taken out.

PNG and JPEG are copied byte for byte around their words, with what else they carry, such as the provenance
from which ``artgen reproduce`` makes them again. Other pictures are saved again without loss, and PyAV copies
films.
"""

from __future__ import annotations

import io
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from artgen.errors import ArtgenError
from artgen.gallery.media import films, resave
from artgen.gallery.media.exif_gps import without_place
from artgen.gallery.media.iptc import blocks_without_place
from artgen.gallery.works.folders import NOT_SHOWN
from artgen.imaging.io.png_text import SIGNATURE

# They may say where they were taken, and no library here writes them again; SVG and EPS are texts.
_REFUSED = NOT_SHOWN - {".svg", ".eps"}
# How such files begin, whatever their names: TIFF, WebP, Matroska, GIF, and the boxes of films and AVIF.
_BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"RIFF", b"\x1aE\xdf\xa3", b"GIF8")
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_KEYWORD = b"XML:com.adobe.xmp"
_APP1, _XMP, _MORE = b"\xff\xe1", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_EXIF = b"Exif\0\0"
_APP13, _PHOTOSHOP = b"\xff\xed", b"Photoshop 3.0\0"
# ImageMagick's way to put Exif, IPTC and XMP into a PNG, from before there were chunks for them.
_PROFILES = tuple(b"raw profile type " + kind + b"\0" for kind in (b"exif", b"app1", b"iptc", b"xmp"))
_LONGEST = 65_533 - len(_XMP)  # bytes that a JPEG segment holds beside its name


def ending_of(file: Path) -> str:
    """The ending of a file's published copy."""
    ending = file.suffix.lower()
    return resave.SAVED_AS[ending][1] if ending in resave.SAVED_AS else ending


def write_original(file: Path, target: Path, xmp: bytes) -> None:
    """Copy a picture or a film, with words in it and without the place where it was taken.

    Args:
        file: the picture or film; any other file is copied as it is.
        target: the copy, which ends as ``ending_of`` tells.
        xmp: the packet; one that the file has is left out.

    Raises:
        ArtgenError: the file is damaged, or cannot be copied without loss or without the place.
        OSError: nothing more can be written.
    """
    ending = file.suffix.lower()
    with file.open("rb") as source:
        begin = source.read(8)
        source.seek(0)
        if begin == SIGNATURE or begin.startswith(b"\xff\xd8"):
            try:
                with target.open("wb") as copy:
                    (_png if begin == SIGNATURE else _jpeg)(source, copy, xmp)
            except ValueError as error:
                raise ArtgenError(str(file), f"damaged ({error})", "give a whole picture") from None
        elif ending in resave.SAVED_AS:
            resave.resave(file, target, xmp)
        elif ending in films.CONTAINERS:
            films.write_film(file, target, xmp)
        elif ending in _REFUSED or begin.startswith(_BEGINNINGS) or begin[4:] in _BOXES:
            found = "may say where it was taken, which cannot be taken out of it"
            raise ArtgenError(str(file), found, "give a PNG, a JPEG or an .mp4")
        else:
            shutil.copyfile(file, target)


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
        leads = marker == b"\xff\xe0" or (marker == _APP1 and data.startswith(_EXIF))
        if first and not leads:
            if len(xmp) <= _LONGEST:
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
