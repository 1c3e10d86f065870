"""Boxes in boxes, as MP4 and AVIF files are built (ISO/IEC 14496-12): passed over, put behind, made free."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

# https://developer.adobe.com/xmp/docs/XMPSpecifications: Part 3, files of the ISO base media format.
_WORDS = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_MOST = 10_000  # boxes beside one another; a file of more is none of its kind
_BLOCK = 1 << 16  # bytes written at once

Box = tuple[bytes, int, int]
"""Its kind, and the beginning and end of its content in the file."""


def boxes(stream: BinaryIO, start: int, stop: int) -> Iterator[Box]:
    """Each box in a part of a file; none after one that goes beyond it."""
    for _ in range(_MOST):
        if start + 8 > stop:
            return
        stream.seek(start)
        head = stream.read(16)
        size, begin = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, begin = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:
            size = stop - start
        if size < begin or start + size > stop:
            return
        yield head[4:8], start + begin, start + size
        start += size


def inside_meta(stream: BinaryIO, begin: int, stop: int) -> Iterator[Box]:
    """The boxes in a ``meta`` box, which begins with a version, but not in QuickTime's films."""
    stream.seek(begin + 4)
    yield from boxes(stream, begin if stream.read(4) == b"hdlr" else begin + 4, stop)


def free(stream: BinaryIO, box: Box) -> None:
    """What a box held is gone, and readers pass over it. Nothing moves: others point to what lies behind."""
    kind, begin, stop = box
    stream.seek(begin - 4)
    stream.seek(begin - 4 if stream.read(4) == kind else begin - 12)  # before a length of 64 bits
    stream.write(b"free")
    blank(stream, begin, stop)


def blank(stream: BinaryIO, begin: int, stop: int) -> None:
    """Zeros from ``begin`` to before ``stop``."""
    stream.seek(begin)
    for at in range(begin, stop, _BLOCK):
        stream.write(bytes(min(_BLOCK, stop - at)))


def replace_words(stream: BinaryIO, xmp: bytes) -> None:
    """Put the words behind the last box, where readers that want none pass over them; old ones go."""
    end, last = stream.seek(0, 2), 0
    start = 0
    for kind, begin, stop in list(boxes(stream, 0, end)):
        stream.seek(begin)
        if kind == b"uuid" and stream.read(16) == _WORDS:
            free(stream, (kind, begin, stop))
        last, start = start, stop
    stream.seek(last)
    if start == end and stream.read(4) != b"\0" * 4:  # zero would say that it goes on to the file's end
        stream.seek(end)
        stream.write((24 + len(xmp)).to_bytes(4, "big") + b"uuid" + _WORDS + xmp)
