"""Removal of place names from IPTC records, and from the Photoshop resource blocks that contain them.

See IPTC-NAA Information Interchange Model 4.2, chapter 3, and Adobe Photoshop File Formats Specification,
image resource blocks.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_BLOCK_SIGNATURE, _IPTC_BLOCK_ID = b"8BIM", 0x0404
# Exif and XMP, which the file has elsewhere; and a hash of the records: readers that find it valid prefer
# the records to our XMP.
_REMOVED_BLOCK_IDS = frozenset({0x0422, 0x0423, 0x0424, 0x0425})
_RECORD_MARKER, _APPLICATION_RECORD = 0x1C, 2
# Content location code and name, city, sublocation, state, country code and name.
_LOCATION_DATASETS = frozenset({26, 27, 90, 92, 95, 100, 101})
_EXTENDED_LENGTH_FLAG = 0x8000  # a length in more than two bytes, which no text needs


def remove_locations_from_blocks(blocks: bytes) -> bytes:
    """Remove place names, Exif and XMP from Photoshop resource blocks; return nothing if parsing fails."""
    result, offset = bytearray(), 0
    try:
        while offset < len(blocks):
            (block_id,) = struct.unpack_from(">H", blocks, offset + 4)
            # A name comes first: its length in one byte, then the text, padded to an even size.
            length_offset = offset + 6 + (blocks[offset + 6] + 2 & ~1)
            (length,) = struct.unpack_from(">I", blocks, length_offset)
            content = blocks[length_offset + 4 : length_offset + 4 + length]
            if not blocks.startswith(_BLOCK_SIGNATURE, offset) or len(content) < length:
                return b""
            if block_id == _IPTC_BLOCK_ID:
                content = remove_locations_from_records(content)
            if block_id not in _REMOVED_BLOCK_IDS:
                result += blocks[offset:length_offset] + struct.pack(">I", len(content)) + content
                result += bytes(len(content) & 1)
            offset = length_offset + 4 + length + (length & 1)
    except (struct.error, IndexError):
        return b""
    return bytes(result)


def remove_locations_from_records(records: bytes) -> bytes:
    """Remove place names from IPTC records; drop a record that cannot be parsed and all after it."""
    return b"".join(_records_without_location(records))


def _records_without_location(records: bytes) -> Iterator[bytes]:
    offset = 0
    while offset + 5 <= len(records) and records[offset] == _RECORD_MARKER:
        (length,) = struct.unpack_from(">H", records, offset + 3)
        end = offset + 5 + length
        if length & _EXTENDED_LENGTH_FLAG or end > len(records):
            return
        if records[offset + 1] != _APPLICATION_RECORD or records[offset + 2] not in _LOCATION_DATASETS:
            yield records[offset:end]
        offset = end
