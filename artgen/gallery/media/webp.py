"""Words in WebP files, and no places."""

from __future__ import annotations

import struct
from typing import BinaryIO

from artgen.gallery.media.exif_gps import without_place

_XMP_FLAG = 0x04  # of WebP's VP8X
_EXIF = b"Exif\0\0"
_MOST = 10_000  # chunks; a file of more is none of its kind
_LARGEST = 1 << 24  # bytes of Exif


def copy_webp(source: BinaryIO, copy: BinaryIO, xmp: bytes) -> None:
    """Copy chunk by chunk, words last. See https://developers.google.com/speed/webp/docs/riff_container.

    Raises:
        ValueError: the file cannot be followed.
    """
    copy.write(source.read(12))
    first = True
    for _ in range(_MOST):
        head = source.read(8)
        if len(head) < 8:
            break
        kind, length = head[:4], int.from_bytes(head[4:], "little")
        if first or (kind in (b"VP8X", b"EXIF") and length < _LARGEST):
            content = source.read(length)
            if len(content) < length:
                raise ValueError("a WebP that ends too early")
            if kind == b"VP8X":
                content = bytes([content[0] | _XMP_FLAG]) + content[1:]
            elif kind == b"EXIF":
                prefix = _EXIF if content.startswith(_EXIF) else b""
                content = prefix + without_place(content[len(prefix) :])
            elif first:
                _chunk(copy, b"VP8X", _extended(kind, content))
            _chunk(copy, kind, content)
            source.seek(length & 1, 1)
        elif kind == b"XMP ":
            source.seek(length + (length & 1), 1)
        else:
            _chunk(copy, kind, source.read(length))
            source.seek(length & 1, 1)
        first = False
    _chunk(copy, b"XMP ", xmp)
    size = copy.seek(0, 2)
    copy.seek(4)
    copy.write((size - 8).to_bytes(4, "little"))


def _chunk(copy: BinaryIO, kind: bytes, content: bytes) -> None:
    copy.write(kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) & 1))


def _extended(kind: bytes, content: bytes) -> bytes:
    """The header that a plain WebP has not: flags, width and height less one."""
    if kind == b"VP8L" and len(content) > 5:
        bits = int.from_bytes(content[1:5], "little")
        width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    elif kind == b"VP8 " and len(content) > 10:
        width, height = ((value & 0x3FFF) - 1 for value in struct.unpack_from("<HH", content, 6))
        alpha = 0
    else:
        raise ValueError("no WebP")
    flags = _XMP_FLAG | alpha << 4
    return bytes([flags, 0, 0, 0]) + width.to_bytes(3, "little") + height.to_bytes(3, "little")
