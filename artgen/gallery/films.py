"""Films: how large an MP4 is shown, a picture out of it, and a copy with words in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from artgen.errors import ArtgenError
from artgen.gallery.containers import append_box, boxes

_RIGHT = "give a whole .mp4 file"


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
    """Copy a film and append the words, as a box that players pass over."""
    shutil.copyfile(file, target)
    with target.open("rb+") as stream:
        append_box(stream, xmp)


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
        # Old recorders write titles in whatever letters their country used.
        with av.open(str(file), metadata_errors="replace") as film:
            frame = next(film.decode(video=0))
            pixels = frame.to_ndarray(format="rgb24")
    except (av.FFmpegError, StopIteration, IndexError, OSError) as error:
        raise ArtgenError(str(file), f"a film that cannot be decoded ({error})", _RIGHT) from error
    vips().Image.new_from_array(pixels).pngsave(str(target))


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
