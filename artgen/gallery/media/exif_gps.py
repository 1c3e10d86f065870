"""Where a photograph was taken is nobody's business: Exif without its coordinates."""

from __future__ import annotations

import struct

GPS = 0x8825
# Bytes of one value of each type: TIFF 6.0, section 2.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_ENTRY = 12


def without_place(exif: bytes) -> bytes:
    """Exif as it lies in a file (a TIFF header and its directories), coordinates overwritten by zeros.

    All else stays at its place, the maker's own notes included, which point into the whole. What cannot be
    read is left out altogether.
    """
    data = bytearray(exif)
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]), "")
    try:
        (first,) = struct.unpack_from(f"{order}I", data, 4)
        for at in _entries(data, first, order):
            tag, _, _, value = struct.unpack_from(f"{order}HHII", data, at)
            if tag == GPS:
                _blank(data, value, order)
    except struct.error:
        return b""
    return bytes(data) if order else b""


def _entries(data: bytearray, directory: int, order: str) -> list[int]:
    (count,) = struct.unpack_from(f"{order}H", data, directory)
    return [directory + 2 + _ENTRY * number for number in range(count)]


def _blank(data: bytearray, directory: int, order: str) -> None:
    for at in _entries(data, directory, order):
        _, kind, count, value = struct.unpack_from(f"{order}HHII", data, at)
        length = _SIZES.get(kind, 1) * count
        if length > 4 and value + length <= len(data):
            data[value : value + length] = bytes(length)
        data[at : at + _ENTRY] = bytes(_ENTRY)
    data[directory : directory + 2] = bytes(2)
