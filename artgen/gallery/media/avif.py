"""What lies in an AVIF file beside its picture, as items: Exif and words (ISO/IEC 23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from artgen.gallery.media.exif_gps import without_place
from artgen.gallery.media.isobmff import boxes, inside_meta

_MOST = 1 << 24  # bytes of Exif and words; a file of more is none of its kind
_IN_FILE, _IN_IDAT = 0, 1  # where an item's bytes are counted from
_LOST = "an AVIF whose items cannot be followed"
_SAYS_NOTHING = b"II*\0\x08" + bytes(9)  # Exif without an entry: readers refuse a picture whose Exif is zeros


@dataclass(frozen=True)
class Item:
    """Where an item lies.

    Attributes:
        number: that other tables know it by.
        plain: whether its bytes lie in this file, as they are counted here.
        parts: beginning and length of each of its parts in the file.
    """

    number: int
    plain: bool
    parts: tuple[tuple[int, int], ...]


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
                _clean(copy, {kind: part for kind, *part in inside_meta(copy, begin, stop)}, end, xmp)
            except (struct.error, IndexError):
                raise ValueError(_LOST) from None
            return


def _clean(copy: BinaryIO, tables: dict[bytes, list[int]], end: int, xmp: bytes) -> None:
    if not {b"iinf", b"iloc"} <= tables.keys():
        return
    kinds = dict(_kinds(copy, *tables[b"iinf"]))
    begin, stop = tables[b"iloc"]
    copy.seek(begin)
    table = copy.read(min(stop - begin, _MOST))
    touched = 0
    for item in _items(table, tables.get(b"idat", [0])[0]):
        if item.number not in kinds:
            continue
        length = sum(length for _, length in item.parts)
        touched += length
        inside = all(length and start + length <= end for start, length in item.parts)
        if not (item.plain and inside and touched <= _MOST):
            raise ValueError(_LOST)
        was = b"".join(_read(copy, *part) for part in item.parts)
        if kinds[item.number] == b"Exif":
            now = _without_place(was).ljust(length, b"\0")
        else:
            now = (xmp if len(xmp) <= length else b"").ljust(length)
        for start, size in item.parts:
            copy.seek(start)
            copy.write(now[:size])
            now = now[size:]


def _read(copy: BinaryIO, start: int, length: int) -> bytes:
    copy.seek(start)
    return copy.read(length)


def _without_place(item: bytes) -> bytes:
    """An item of Exif says first how many bytes lie before its TIFF header."""
    begin = 4 + int.from_bytes(item[:4], "big")
    kept = without_place(item[begin:])
    return (item[:begin] + kept) if kept else (bytes(4) + _SAYS_NOTHING)[: len(item)]


def _kinds(stream: BinaryIO, begin: int, stop: int) -> Iterator[tuple[int, bytes]]:
    """Number and kind of each item that is Exif or words."""
    stream.seek(begin)
    first = begin + (6 if stream.read(1) == b"\0" else 8)  # behind version, flags and how many there are
    for _, at, end in boxes(stream, first, stop):
        stream.seek(at)
        entry = stream.read(min(end - at, 300))
        number, kind = struct.unpack_from(">4xH2x4s" if entry[0] < 3 else ">4xI2x4s", entry)
        if kind == b"Exif" or (kind == b"mime" and b"application/rdf+xml" in entry):
            if entry.rstrip(b"\0").endswith((b"deflate", b"gzip", b"br")):
                raise ValueError(_LOST)  # packed
            yield number, kind


def _items(table: bytes, idat: int) -> Iterator[Item]:
    """Where each item lies, as ``iloc`` says."""
    version, sizes, more = table[0], table[4], table[5]
    wide, index = (4 if version == 2 else 2), (more & 15 if version else 0)
    at = 6

    def number(size: int) -> int:
        nonlocal at
        at += size
        if at > len(table):
            raise ValueError(_LOST)
        return int.from_bytes(table[at - size : at], "big")

    for _ in range(number(wide)):
        item = number(wide)
        method = number(2) & 15 if version else _IN_FILE
        elsewhere = number(2)
        base = number(more >> 4) + (idat if method == _IN_IDAT else 0)
        count = number(2)
        if not sizes:  # of unknown length, each of them: there is nothing to read, and no end of it
            yield Item(item, False, ())
            continue
        parts = []
        for _ in range(count):
            number(index)  # for items made of items
            parts.append((base + number(sizes >> 4), number(sizes & 15)))
        yield Item(item, method in (_IN_FILE, _IN_IDAT) and not elsewhere, tuple(parts))
