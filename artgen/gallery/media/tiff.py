"""Words in TIFF files, and no places."""

from __future__ import annotations

import shutil
import struct
from typing import BinaryIO

from artgen.gallery.media.exif_gps import GPS
from artgen.gallery.media.iptc import blocks_without_place, records_without_place

_XMP, _IPTC, _PHOTOSHOP = 700, 33723, 34377
_BYTE = 1
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # of one value, by type
_ENTRY = 12
_INLINE = 4  # bytes; a longer value lies elsewhere, the entry says where
_PAGES = 10_000  # a file of more goes round in circles
_LARGEST = 1 << 24  # bytes of IPTC or of Photoshop's blocks


def copy_tiff(source: BinaryIO, copy: BinaryIO, xmp: bytes) -> None:
    """Copy, then write the first directory again behind, with the words.

    Of the copy nothing moves, for nobody knows all that points into it: what says where the picture was taken
    is overwritten, and so are the old words and the old directory.

    Raises:
        ValueError: the file cannot be followed. Files of more than 4 GB are copied as they are.
    """
    shutil.copyfileobj(source, copy)
    source.seek(0)
    head = source.read(8)
    order = "<" if head.startswith(b"II*\0") else ">" if head.startswith(b"MM\0*") else ""
    if not order:
        return
    try:
        (first,) = struct.unpack_from(f"{order}I", head, 4)
        at, seen = first, set[int]()
        while at and at not in seen and len(seen) < _PAGES:
            seen.add(at)
            at = _clean(copy, at, order)
        copy.seek(first)
        (count,) = struct.unpack(f"{order}H", copy.read(2))
        entries = [copy.read(_ENTRY) for _ in range(count)]
        following = copy.read(4)
        tags = {struct.unpack_from(f"{order}H", entry)[0]: entry for entry in entries}
    except struct.error:
        raise ValueError("a TIFF whose directory cannot be followed") from None
    end = copy.seek(0, 2)
    copy.write(b"\0" * (end & 1))
    where = end + (end & 1)
    if where + len(xmp) + _ENTRY * count > 0xFFFF_FF00:
        return
    tags.pop(GPS, None)
    tags[_XMP] = struct.pack(f"{order}HHII", _XMP, _BYTE, len(xmp), where)
    copy.write(xmp + b"\0" * (len(xmp) & 1))
    directory = where + len(xmp) + (len(xmp) & 1)
    copy.write(struct.pack(f"{order}H", len(tags)) + b"".join(tags[tag] for tag in sorted(tags)) + following)
    copy.seek(first)
    copy.write(bytes(2 + _ENTRY * count + 4))
    copy.seek(4)
    copy.write(struct.pack(f"{order}I", directory))


def _clean(copy: BinaryIO, directory: int, order: str) -> int:
    """Overwrite what one directory says of the place, and its old words; returns where the next one is."""
    for at, entry in _entries(copy, directory, order):
        tag, kind, count, value = struct.unpack(f"{order}HHII", entry)
        if tag == GPS:
            _blank(copy, value, order)
        elif tag == _XMP:
            _overwrite(copy, value, b"", _length(kind, count))
        elif tag in (_IPTC, _PHOTOSHOP) and (length := _length(kind, count)):
            copy.seek(value)
            content = copy.read(min(length, _LARGEST))
            kept = records_without_place(content) if tag == _IPTC else blocks_without_place(content)
            _overwrite(copy, value, kept, length)
            if tag == _PHOTOSHOP:  # zeros behind its last block would be a broken one
                copy.seek(at + 4)
                copy.write(struct.pack(f"{order}I", -(-len(kept) // _SIZES.get(kind, 1))))
    copy.seek(directory)
    (count,) = struct.unpack(f"{order}H", copy.read(2))
    copy.seek(directory + 2 + _ENTRY * count)
    following = copy.read(4)
    return int(struct.unpack(f"{order}I", following)[0]) if len(following) == 4 else 0


def _blank(copy: BinaryIO, directory: int, order: str) -> None:
    entries = _entries(copy, directory, order)
    for at, entry in entries:
        _, kind, count, value = struct.unpack(f"{order}HHII", entry)
        _overwrite(copy, value, b"", _length(kind, count))
        _overwrite(copy, at, b"", _ENTRY)
    _overwrite(copy, directory, b"", 2)


def _entries(copy: BinaryIO, directory: int, order: str) -> list[tuple[int, bytes]]:
    copy.seek(directory)
    (count,) = struct.unpack(f"{order}H", copy.read(2))
    start = directory + 2
    return [(start + _ENTRY * number, copy.read(_ENTRY)) for number in range(count)]


def _length(kind: int, count: int) -> int:
    """Bytes that a value takes elsewhere; none where it lies in its entry."""
    length = _SIZES.get(kind, 1) * count
    return length if length > _INLINE else 0


def _overwrite(copy: BinaryIO, at: int, content: bytes, length: int) -> None:
    """Put ``content`` into a part of the file, zeros behind it; never beyond the file's end."""
    end = copy.seek(0, 2)
    length = min(length, end - at)
    if length > 0:
        copy.seek(at)
        copy.write(content[:length] + bytes(length - len(content[:length])))
