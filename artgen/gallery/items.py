"""What lies in an AVIF file beside its picture, as items: Exif and words (ISO/IEC 23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from artgen.gallery.boxes import boxes, inside_meta
from artgen.gallery.place import without_place

_MOST = 1 << 24  # bytes of Exif and words; a file of more is none of its kind
_IN_FILE, _IN_IDAT = 0, 1  # where an item's bytes are counted from

Part = tuple[int, int]
"""Beginning and end in the file."""


def clean_items(copy: BinaryIO, xmp: bytes) -> None:
    """Overwrite what Exif says of where a picture was taken, and old words; nothing moves.

    Args:
        copy: the file.
        xmp: what stands in the place of old words if it is not longer.

    Raises:
        ValueError: the items cannot be followed.
    """
    end = copy.seek(0, 2)
    for kind, begin, stop in boxes(copy, 0, end):
        if kind == b"meta":
            try:
                _clean(copy, (begin, stop), end, xmp)
            except (struct.error, IndexError):
                raise ValueError("an AVIF whose items cannot be followed") from None
            return


def _clean(copy: BinaryIO, meta: Part, end: int, xmp: bytes) -> None:
    parts = {kind: (first, last) for kind, first, last in inside_meta(copy, *meta)}
    if not {b"iinf", b"iloc"} <= parts.keys():
        return
    kinds = dict(_kinds(copy, *parts[b"iinf"]))
    copy.seek(parts[b"iloc"][0])
    table = copy.read(min(parts[b"iloc"][1] - parts[b"iloc"][0], _MOST))
    touched = 0
    for number, (first, last) in _places(table, parts.get(b"idat", (0, 0))[0]):
        if number not in kinds or not first < last <= end:
            continue
        touched += last - first
        if touched > _MOST:
            raise IndexError
        copy.seek(first)
        was = copy.read(last - first)
        copy.seek(first)
        if kinds[number] == b"Exif":
            copy.write(_without_place(was).ljust(len(was), b"\0"))
        else:
            copy.write((xmp if len(xmp) <= len(was) else b"").ljust(len(was)))


def _without_place(item: bytes) -> bytes:
    """An item of Exif says first how many bytes lie before its TIFF header."""
    begin = 4 + int.from_bytes(item[:4], "big")
    return item[:begin] + without_place(item[begin:]) if begin < len(item) else item[:4]


def _kinds(stream: BinaryIO, begin: int, stop: int) -> Iterator[tuple[int, bytes]]:
    """Number and kind of each item that is Exif or words."""
    stream.seek(begin)
    first = begin + (6 if stream.read(1) == b"\0" else 8)  # behind version, flags and how many there are
    for _, at, end in boxes(stream, first, stop):
        stream.seek(at)
        entry = stream.read(min(end - at, 300))
        number, kind = struct.unpack_from(">4xH2x4s" if entry[0] < 3 else ">4xI2x4s", entry)
        if kind == b"Exif" or (kind == b"mime" and b"application/rdf+xml" in entry):
            yield number, kind


def _places(table: bytes, idat: int) -> Iterator[tuple[int, Part]]:
    """Number of each item, and where its bytes are."""
    version, sizes, more = table[0], table[4], table[5]
    wide, index = (4 if version == 2 else 2), (more & 15 if version else 0)
    at = 6

    def number(size: int) -> int:
        nonlocal at
        at += size
        if at > len(table):
            raise IndexError
        return int.from_bytes(table[at - size : at], "big")

    for _ in range(number(wide)):
        item = number(wide)
        method = number(2) & 15 if version else _IN_FILE
        number(2)  # another file that it would be in
        base = number(more >> 4)
        for _ in range(number(2) if sizes else 0):
            number(index)  # for items made of items
            begin = base + number(sizes >> 4) + (idat if method == _IN_IDAT else 0)
            length = number(sizes & 15)
            if method in (_IN_FILE, _IN_IDAT):
                yield item, (begin, begin + length)
