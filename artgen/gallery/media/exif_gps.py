"""Removal of GPS coordinates from Exif metadata, so that a site never tells where a picture was taken."""

from __future__ import annotations

import struct

_GPS_IFD_TAG = 0x8825  # the entry that points to the directory (IFD) of coordinates
# By type: bytes of one value. TIFF 6.0, section 2.
_VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_ENTRY_BYTES = 12


def remove_gps(exif: bytes) -> bytes:
    """Overwrite the GPS coordinates in Exif data with zeros.

    Everything else keeps its offset, because makers' notes contain offsets into the data.

    Args:
        exif: a TIFF header and its directories, without the ``Exif`` marker of a JPEG.

    Returns:
        Data of the same length; empty if ``exif`` cannot be parsed.
    """
    data = bytearray(exif)
    byte_order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]), "")
    try:
        (root_directory,) = struct.unpack_from(f"{byte_order}I", data, 4)
        for offset in _entry_offsets(data, root_directory, byte_order):
            tag, _, _, value = struct.unpack_from(f"{byte_order}HHII", data, offset)
            if tag == _GPS_IFD_TAG:
                _zero_directory(data, value, byte_order)
    except struct.error:
        return b""
    return bytes(data) if byte_order else b""


def _entry_offsets(data: bytearray, directory: int, byte_order: str) -> list[int]:
    """Return the offsets of the entries of the Exif directory at offset ``directory``."""
    (count,) = struct.unpack_from(f"{byte_order}H", data, directory)
    return [directory + 2 + _ENTRY_BYTES * number for number in range(count)]


def _zero_directory(data: bytearray, directory: int, byte_order: str) -> None:
    """Overwrite an Exif directory's entries, and the values they point to, with zeros."""
    for offset in _entry_offsets(data, directory, byte_order):
        _, value_type, count, value = struct.unpack_from(f"{byte_order}HHII", data, offset)
        length = _VALUE_BYTES.get(value_type, 1) * count
        if length > 4 and value + length <= len(data):  # shorter values are in the entry itself
            data[value : value + length] = bytes(length)
        data[offset : offset + _ENTRY_BYTES] = bytes(_ENTRY_BYTES)
    data[directory : directory + 2] = bytes(2)
