"""Films: how large an MP4 is shown, a picture out of it, and a copy with words in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from artgen.errors import ArtgenError
from artgen.gallery.media.isobmff import Box, blank, boxes, free, inside_meta, replace_words

_RIGHT = "give a whole .mp4 file"
# Where it was taken, as phones and 3GPP have it, and what else may say so: Nikon's notes, Sony's XML, and
# what Adobe's programs put into films for QuickTime.
_FREED = {b"\xa9xyz", b"loci", b"NCDT", b"xml ", b"bxml", b"XMP_"}
_DEEPEST = 5  # boxes within boxes that may say where


def film_size(file: Path) -> tuple[int, int]:
    """Width and height in px at which a film is shown, as its header says.

    Raises:
        ArtgenError: no MP4, or one without pictures.
    """
    try:
        with file.open("rb") as stream:
            end = stream.seek(0, 2)
            for kind, start, stop in boxes(stream, 0, end):
                if kind == b"moov":
                    for size in _tracks(stream, start, stop):
                        return size
    except OSError as error:
        raise ArtgenError(str(file), f"cannot be read ({error.strerror or error})", _RIGHT) from error
    raise ArtgenError(str(file), "no MP4 film", _RIGHT)


def write_film(file: Path, target: Path, xmp: bytes) -> None:
    """Copy a film with its words in it, and without the place where it was taken."""
    shutil.copyfile(file, target)
    with target.open("rb+") as stream:
        forget_place(stream)
        replace_words(stream, xmp)


def forget_place(stream: BinaryIO) -> None:
    """Take out where a film was taken; nothing moves.

    What a camera records of its way as a track beside picture and sound stays.
    """
    _forget(stream, boxes(stream, 0, stream.seek(0, 2)))


def write_still(file: Path, target: Path) -> None:
    """Write the first picture of a film as a PNG.

    Raises:
        ArtgenError: PyAV is not installed, or cannot decode it.
    """
    from artgen.gallery.media.renditions import vips

    try:
        import av
    except ImportError:
        right = f"put a picture called {file.stem}.jpg beside it, or install PyAV"
        raise ArtgenError(
            str(file), "no picture to show it by", right, "pip install 'artgen[video]'"
        ) from None
    try:
        # Old recorders write titles in whatever letters their country used.
        with av.open(str(file), metadata_errors="replace") as film:
            frame = next(film.decode(video=0))
            pixels = frame.to_ndarray(format="rgb24")
    except (av.FFmpegError, StopIteration, IndexError, OSError) as error:
        raise ArtgenError(str(file), f"a film that cannot be decoded ({error})", _RIGHT) from error
    vips().Image.new_from_array(pixels).pngsave(str(target))


def _forget(stream: BinaryIO, within: Iterable[Box], depth: int = 0) -> None:
    named: list[bytes] = []
    for box in sorted(within, key=lambda box: box[0] != b"keys"):  # the names first
        kind, start, stop = box
        if kind in _FREED:
            free(stream, box)
        elif kind in (b"moov", b"trak", b"udta") and depth < _DEEPEST:
            _forget(stream, boxes(stream, start, stop), depth + 1)
        elif kind == b"meta" and depth < _DEEPEST:
            _forget(stream, inside_meta(stream, start, stop), depth + 1)
        elif kind == b"keys":
            named = list(_names(stream, start, stop))
        elif kind == b"ilst":
            _forget_values(stream, list(boxes(stream, start, stop)), named)


def _names(stream: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """Names of the values in ``ilst``, each in the shape of a box, behind version and count."""
    for _, begin, end in boxes(stream, start + 8, stop):
        stream.seek(begin)
        yield stream.read(min(end - begin, 200)).lower()


def _forget_values(stream: BinaryIO, values: list[Box], named: list[bytes]) -> None:
    for value in values:
        kind, start, stop = value
        place = int.from_bytes(kind, "big") - 1
        if kind in _FREED:
            free(stream, value)
        elif 0 <= place < len(named) and b"location" in named[place]:
            for _, begin, end in list(boxes(stream, start, stop)):
                blank(stream, begin + 8, end)  # behind what kind of text it is, and of which country


def _tracks(stream: BinaryIO, start: int, stop: int) -> Iterator[tuple[int, int]]:
    for kind, begin, end in boxes(stream, start, stop):
        if kind != b"trak":
            continue
        for inner, first, last in boxes(stream, begin, end):
            if inner == b"tkhd":
                stream.seek(first)
                header = stream.read(min(last - first, 200))
                # Its last fields are a matrix of nine numbers, then width and height in 16.16.
                width, height = (int.from_bytes(part, "big") >> 16 for part in (header[-8:-4], header[-4:]))
                turned = header[-44:-40] == b"\0" * 4
                if width and height:
                    yield (height, width) if turned else (width, height)
