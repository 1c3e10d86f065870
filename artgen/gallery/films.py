"""Films: how large an MP4 is shown, a picture out of it, and a copy with words in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from artgen.errors import ArtgenError

# https://developer.adobe.com/xmp/docs/XMPSpecifications: where XMP lies in an ISO base media file.
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_DEEPEST = 10_000  # boxes; more is no film
_RIGHT = "give a whole .mp4 file"


def film_size(file: Path) -> tuple[int, int]:
    """Width and height in px at which a film is shown, as its header says.

    Raises:
        ArtgenError: no MP4, or one without pictures.
    """
    try:
        with file.open("rb") as stream:
            end = stream.seek(0, 2)
            for kind, start, stop in _boxes(stream, 0, end):
                if kind == b"moov":
                    for size in _tracks(stream, start, stop):
                        return size
    except OSError as error:
        raise ArtgenError(str(file), f"cannot be read ({error.strerror or error})", _RIGHT) from error
    raise ArtgenError(str(file), "no MP4 film", _RIGHT)


def write_film(file: Path, target: Path, xmp: bytes) -> None:
    """Copy a film and append the words, as a box that players pass over."""
    shutil.copyfile(file, target)
    with target.open("rb+") as stream:
        end = stream.seek(0, 2)
        if _complete(stream, end):
            stream.seek(end)
            stream.write((24 + len(xmp)).to_bytes(4, "big") + b"uuid" + _XMP_BOX + xmp)


def write_still(file: Path, target: Path) -> None:
    """Write the first picture of a film as a PNG.

    Raises:
        ArtgenError: PyAV is not installed, or cannot decode it.
    """
    from artgen.gallery.renditions import vips

    try:
        import av
    except ImportError:
        right = f"put a picture called {file.stem}.jpg beside it, or install PyAV"
        raise ArtgenError(
            str(file), "no picture to show it by", right, "pip install 'artgen[video]'"
        ) from None
    try:
        with av.open(str(file)) as film:
            frame = next(film.decode(video=0))
            pixels = frame.to_ndarray(format="rgb24")
    except (av.FFmpegError, StopIteration, IndexError, OSError) as error:
        raise ArtgenError(str(file), f"a film that cannot be decoded ({error})", _RIGHT) from error
    vips().Image.new_from_array(pixels).pngsave(str(target))


def _tracks(stream: BinaryIO, start: int, stop: int) -> Iterator[tuple[int, int]]:
    for kind, begin, end in _boxes(stream, start, stop):
        if kind != b"trak":
            continue
        for inner, first, last in _boxes(stream, begin, end):
            if inner == b"tkhd":
                stream.seek(first)
                header = stream.read(min(last - first, 200))
                # Its last fields are a matrix of nine numbers, then width and height in 16.16.
                width, height = (int.from_bytes(part, "big") >> 16 for part in (header[-8:-4], header[-4:]))
                turned = header[-44:-40] == b"\0" * 4
                if width and height:
                    yield (height, width) if turned else (width, height)


def _boxes(stream: BinaryIO, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, beginning and end of the content of each box in a part of the file."""
    for _ in range(_DEEPEST):
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


def _complete(stream: BinaryIO, end: int) -> bool:
    """Whether the boxes fill the file, and the last says where it ends: then another may follow."""
    start = 0
    for _, _, stop in _boxes(stream, 0, end):
        if stop == end:
            stream.seek(start)
            return stream.read(4) != b"\0" * 4
        start = stop
    return False
