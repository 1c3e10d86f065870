"""Originals for download: unchanged pixels, our XMP added, the location removed.

PNG and JPEG files are copied byte for byte except for their metadata, so they keep the provenance from which
``artgen reproduce`` makes them again. Other pictures are saved again without loss, and films are copied by
PyAV.
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
from artgen.gallery.media.exif_gps import remove_gps
from artgen.gallery.media.iptc import remove_locations_from_blocks
from artgen.imaging.io.png_text import PNG_SIGNATURE
from artgen.references import FILM_SUFFIXES, HEIC_SUFFIXES, OTHER_PICTURE_SUFFIXES

# Files that may tell where they were taken, and that no library here can write; not texts (TypeScript too).
_REFUSED_ENDINGS = {".jp2", ".mpo", *HEIC_SUFFIXES, *OTHER_PICTURE_SUFFIXES, *FILM_SUFFIXES}
_REFUSED_ENDINGS -= {".svg", ".eps", ".ts"}
# First bytes of such files, whatever their names: TIFF, BigTIFF, WebP, Matroska, GIF; boxes of films, AVIF.
_REFUSED_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"RIFF", b"\x1aE\xdf\xa3", b"GIF8")
_REFUSED_BOX_TYPES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_JPEG_SIGNATURE = b"\xff\xd8"
_PNG_XMP_KEYWORD = b"XML:com.adobe.xmp"
_APP0, _APP1, _APP13, _START_OF_SCAN = b"\xff\xe0", b"\xff\xe1", b"\xff\xed", b"\xff\xda"
_XMP_NAME, _EXTENDED_XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_EXIF_NAME = b"Exif\0\0"
_PHOTOSHOP_NAME = b"Photoshop 3.0\0"
# ImageMagick's keywords for Exif, IPTC and XMP in a PNG, older than the chunks for these.
_RAW_PROFILE_KEYWORDS = tuple(
    b"raw profile type " + kind + b"\0" for kind in (b"exif", b"app1", b"iptc", b"xmp")
)
_MAX_XMP_BYTES = 65_533 - len(_XMP_NAME)  # what a JPEG segment can hold after the name
_MAX_METADATA_BYTES = 1 << 24  # a larger PNG chunk is copied without being read into memory


def published_ending(file: Path) -> str:
    """Return the file ending of the original that a site offers: not every format is written again."""
    ending = file.suffix.lower()
    if ending in (".jpe", ".jfif"):  # not every server knows these
        return ".jpg"
    return resave.RESAVE_FORMATS[ending][1] if ending in resave.RESAVE_FORMATS else ending


def write_original(file: Path, target: Path, xmp: bytes) -> None:
    """Copy a picture or a film, add XMP, and remove the location where it was taken.

    Args:
        file: the picture or film; a file of another kind is copied unchanged.
        target: path of the copy, with the ending that ``published_ending`` returns.
        xmp: XMP packet; it replaces that of the file.

    Raises:
        ArtgenError: the file is damaged, or cannot be copied without loss or without its location.
        OSError: the disk is full.
    """
    ending = file.suffix.lower()
    with file.open("rb") as source:
        signature = source.read(8)
        source.seek(0)
        is_png = signature == PNG_SIGNATURE
        # The further pictures of an MPO have Exif of their own.
        if is_png or (signature.startswith(_JPEG_SIGNATURE) and ending != ".mpo"):
            try:
                with target.open("wb") as copy:
                    (_copy_png if is_png else _copy_jpeg)(source, copy, xmp)
            except ValueError as error:
                raise ArtgenError(str(file), f"damaged ({error})", "give a whole picture") from None
        elif ending in resave.RESAVE_FORMATS:
            resave.resave_losslessly(file, target, xmp)
        elif ending in films.CONTAINER_FORMATS:
            films.copy_film(file, target, xmp)
        elif (
            ending in _REFUSED_ENDINGS
            or signature.startswith(_REFUSED_SIGNATURES)
            or signature[4:] in _REFUSED_BOX_TYPES
        ):
            problem = "may say where it was taken, which cannot be removed from it"
            raise ArtgenError(str(file), problem, "give a PNG, a JPEG or an .mp4")
        else:
            shutil.copyfile(file, target)


def _copy_png(source: BinaryIO, copy: BinaryIO, xmp: bytes) -> None:
    """Copy a PNG chunk by chunk; XMP comes right after the header, for readers that stop early."""
    copy.write(source.read(8))
    while len(header := source.read(8)) == 8:
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        if kind in (b"tEXt", b"zTXt", b"iTXt") and length < _MAX_METADATA_BYTES:
            data = source.read(length + 4)
            keyword = data[:80].lower()  # at most 79 bytes, and a zero
            if data.startswith(_PNG_XMP_KEYWORD + b"\0") or keyword.startswith(_RAW_PROFILE_KEYWORDS):
                continue
            copy.write(header + data)
            continue
        if kind == b"eXIf" and length < _MAX_METADATA_BYTES:
            _write_png_chunk(copy, kind, remove_gps(source.read(length)))
            source.read(4)  # the old checksum
            continue
        copy.write(header)
        _copy_bytes(source, copy, length + 4)
        if kind == b"IHDR":
            # The zeros: end of the keyword, no compression (two bytes), no language, no translated keyword.
            _write_png_chunk(copy, b"iTXt", _PNG_XMP_KEYWORD + b"\0" * 5 + xmp)
        if kind == b"IEND":
            return
    raise ValueError("a PNG without an end")


def _write_png_chunk(copy: BinaryIO, kind: bytes, data: bytes) -> None:
    checksum = zlib.crc32(kind + data)
    copy.write(len(data).to_bytes(4, "big") + kind + data + checksum.to_bytes(4, "big"))


def _copy_jpeg(source: BinaryIO, copy: BinaryIO, xmp: bytes) -> None:
    copy.write(source.read(2))
    xmp_segment = _XMP_NAME + xmp
    # The standards want JFIF's segment first, then that of Exif; XMP follows these.
    xmp_pending = True
    for marker, data in _read_jpeg_segments(source):
        if marker == _APP1 and data.startswith((_XMP_NAME, _EXTENDED_XMP_NAME)):
            continue
        if marker == _APP1 and data.startswith(_EXIF_NAME):
            data = _EXIF_NAME + remove_gps(data[len(_EXIF_NAME) :])
        if marker == _APP13:
            blocks = b""
            if data.startswith(_PHOTOSHOP_NAME):
                blocks = remove_locations_from_blocks(data.removeprefix(_PHOTOSHOP_NAME))
            if not blocks:
                continue
            data = _PHOTOSHOP_NAME + blocks
        precedes_xmp = marker == _APP0 or (marker == _APP1 and data.startswith(_EXIF_NAME))
        if xmp_pending and not precedes_xmp:
            if len(xmp) <= _MAX_XMP_BYTES:
                copy.write(_APP1 + (len(xmp_segment) + 2).to_bytes(2, "big") + xmp_segment)
            xmp_pending = False
        copy.write(marker + (len(data) + 2).to_bytes(2, "big") + data)
        if marker == _START_OF_SCAN:
            break
    shutil.copyfileobj(source, copy)


def _read_jpeg_segments(source: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield marker and data of each JPEG segment up to the start of the first scan."""
    while True:
        marker = source.read(2)
        while marker == b"\xff\xff":  # padding
            marker = b"\xff" + source.read(1)
        length = int.from_bytes(source.read(2), "big")
        if marker[:1] != b"\xff" or length < 2:
            raise ValueError("a JPEG whose segments cannot be followed")
        yield marker, source.read(length - 2)
        if marker == _START_OF_SCAN:
            return


def _copy_bytes(source: BinaryIO, copy: BinaryIO, length: int) -> None:
    """Copy ``length`` bytes of an original in blocks, so that memory does not grow with a chunk."""
    while length > 0:
        block = source.read(min(length, io.DEFAULT_BUFFER_SIZE * 16))
        if not block:
            raise ValueError("a PNG that ends too early")
        copy.write(block)
        length -= len(block)
