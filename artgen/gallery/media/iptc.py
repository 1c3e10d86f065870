"""IPTC's records, as photo agencies write them, and Photoshop's blocks around them, without names of places.

See IPTC-NAA Information Interchange Model 4.2, chapter 3, and Adobe Photoshop File Formats Specification,
image resource blocks.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_SIGNATURE, _IPTC = b"8BIM", 0x0404
# Exif and XMP once more; and a hash of the records, by which others believe them rather than our words.
_LEFT_OUT = frozenset({0x0422, 0x0423, 0x0424, 0x0425})
_RECORD, _APPLICATION = 0x1C, 2
# Content location code and name, city, sublocation, state, country code and name.
_PLACES = frozenset({26, 27, 90, 92, 95, 100, 101})
_LONG = 0x8000  # marks a length that needs more than two bytes, as no word does


def blocks_without_place(blocks: bytes) -> bytes:
    """Photoshop's blocks; nothing at all where one of them cannot be followed."""
    copy, at = bytearray(), 0
    try:
        while at < len(blocks):
            (kind,) = struct.unpack_from(">H", blocks, at + 4)
            begin = at + 6 + (blocks[at + 6] + 2 & ~1)  # behind a name, which has its length before it
            (length,) = struct.unpack_from(">I", blocks, begin)
            content = blocks[begin + 4 : begin + 4 + length]
            if not blocks.startswith(_SIGNATURE, at) or len(content) < length:
                return b""
            if kind == _IPTC:
                content = records_without_place(content)
            if kind not in _LEFT_OUT:
                copy += blocks[at:begin] + struct.pack(">I", len(content)) + content
                copy += bytes(len(content) & 1)
            at = begin + 4 + length + (length & 1)
    except (struct.error, IndexError):
        return b""
    return bytes(copy)


def records_without_place(records: bytes) -> bytes:
    """IPTC's records; none from one on that cannot be followed."""
    return b"".join(_harmless(records))


def _harmless(records: bytes) -> Iterator[bytes]:
    at = 0
    while at + 5 <= len(records) and records[at] == _RECORD:
        (length,) = struct.unpack_from(">H", records, at + 3)
        end = at + 5 + length
        if length & _LONG or end > len(records):
            return
        if records[at + 1] != _APPLICATION or records[at + 2] not in _PLACES:
            yield records[at:end]
        at = end
