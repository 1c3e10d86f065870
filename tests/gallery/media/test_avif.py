"""AVIF originals, which are saved again: Exif as cameras and editors may lay it, sound, cut and in parts."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from PIL import Image

from artgen.errors import ArtgenError
from artgen.gallery.media.originals import write_original
from artgen.gallery.media.xmp import EmbeddedMetadata, build_xmp_packet

WORDS = build_xmp_packet(EmbeddedMetadata(title="Nocturne"))


def place(latitude: bytes, at: int) -> bytes:
    """Exif of a description and of a place, whose values are said to lie at a byte of it."""
    root = struct.pack(">HHHI4sHHII", 2, 0x010E, 2, 4, b"Sea\0", 0x8825, 4, 1, 38) + bytes(4)
    return b"MM\0*\0\0\0\x08" + root + struct.pack(">HHHII", 1, 2, 5, 3, at) + bytes(4) + latitude * 3


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("broken", ["whole", "cut", "dangling"])
def test_an_avif_whose_exif_cannot_be_read_opens_without_it(tmp_path: Path, broken: str) -> None:
    source, copy, latitude = tmp_path / "a.avif", tmp_path / "copy.png", struct.pack(">II", 52_123_457, 999)
    exif = place(latitude, {"dangling": 5000}.get(broken, 56))
    if broken == "dangling":
        exif = exif.replace(struct.pack(">I", 38), struct.pack(">I", 4000))
    Image.new("RGB", (60, 40), "teal").save(source, exif=exif[:20] if broken == "cut" else exif)
    write_original(source, copy, WORDS)
    with Image.open(source) as before, Image.open(copy) as after:
        assert before.tobytes() == after.tobytes()
        assert dict(after.getexif()).get(0x010E) == ("Sea" if broken == "whole" else None)
    assert latitude not in copy.read_bytes()


def two_parts(avif: bytes) -> bytes:
    """The same file, its Exif in two parts that meet in the middle of the coordinates."""
    table = avif.index(b"iloc") - 4
    length, count = (
        int.from_bytes(avif[table : table + 4], "big"),
        int.from_bytes(avif[table + 14 : table + 16], "big"),
    )
    assert avif[table + 8 : table + 14] == b"\0\0\0\0\x44\0"  # offsets and lengths of 4 bytes, no base
    entries, at = b"", table + 16
    for _ in range(count):
        entry, at = avif[at : at + 14], at + 14
        start, size = struct.unpack_from(">II", entry, 6)
        if avif[start + 4 : start + 8] == b"MM\0*":
            cut = avif.index(struct.pack(">II", 52_123_457, 999), start) - start
            entry = entry[:4] + struct.pack(">H4I", 2, start, cut, start + cut, size - cut)
        entries += entry
    grown = len(entries) - 14 * count
    assert grown == 8
    moved = bytearray(avif[:table] + (length + grown).to_bytes(4, "big") + avif[table + 4 : table + 16])
    moved += entries + avif[at:]
    meta = avif.index(b"meta") - 4
    moved[meta : meta + 4] = (int.from_bytes(avif[meta : meta + 4], "big") + grown).to_bytes(4, "big")
    at = table + 16
    for _ in range(count):  # what lies behind the table has moved
        parts = int.from_bytes(moved[at + 4 : at + 6], "big")
        for part in range(parts):
            where = at + 6 + 8 * part
            start = int.from_bytes(moved[where : where + 4], "big") + grown
            moved[where : where + 4] = start.to_bytes(4, "big")
        at += 6 + 8 * parts
    return bytes(moved)


def test_exif_in_two_parts_does_not_say_where_either(tmp_path: Path) -> None:
    source, copy, latitude = tmp_path / "a.avif", tmp_path / "copy.png", struct.pack(">II", 52_123_457, 999)
    Image.new("RGB", (60, 40), "teal").save(source, exif=place(latitude, 56))
    source.write_bytes(two_parts(source.read_bytes()))
    with Image.open(source) as before:
        assert before.getexif().get_ifd(0x8825)[2][0] == pytest.approx(52_123_457 / 999)
    write_original(source, copy, WORDS)
    with Image.open(copy) as after:
        assert (after.getexif()[0x010E], after.getexif().get_ifd(0x8825)) == ("Sea", {})
    assert latitude not in copy.read_bytes()


def test_an_avif_with_any_byte_wrong_is_as_readable_after_or_refused(tmp_path: Path) -> None:
    source, copy, exif = tmp_path / "a.avif", tmp_path / "copy.png", Image.Exif()
    exif[0x010E], exif.get_ifd(0x8825)[1] = "Sea", "N"
    Image.new("RGB", (60, 40), "teal").save(source, exif=exif, xmp=b"<x/>")
    whole = source.read_bytes()
    for at in range(32, whole.index(b"mdat"), 3):
        source.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with contextlib.suppress(ArtgenError):
            write_original(source, copy, WORDS)
            assert copy.stat().st_size < len(whole) + 9000
            try:
                with Image.open(source) as before:
                    pixels = before.tobytes()
            except (OSError, SyntaxError, ValueError, RuntimeError):
                continue
            with Image.open(copy) as after:
                assert after.tobytes() == pixels
