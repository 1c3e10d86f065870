"""Films: copied by PyAV, stream by stream and not coded anew, with words and without the place."""

from __future__ import annotations

import errno
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError

if TYPE_CHECKING:
    from artgen.imaging.film.frames import Frame

# FFmpeg's name of the container, by ending.
CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".m4a": "ipod",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
}
_BOXES = ("mp4", "ipod", "mov")  # those that are built of boxes (ISO/IEC 14496-12)
# What of a film's own words stays: all else may say where it was taken, and by which camera.
_WORDS = ("title", "artist", "copyright", "description", "comment", "date", "creation_time")
# https://developer.adobe.com/xmp/docs/XMPSpecifications: Part 3, files of the ISO base media format.
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_APPLES_HEVC = "hvc1"  # under another name Safari plays none
_RIGHT = "give a whole .mp4 file"


def first_frame(file: Path) -> Frame:
    """Decode the first frame of a film, upright and with square pixels.

    Raises:
        ArtgenError: PyAV is not installed, or it is no film that can be decoded.
    """
    from artgen.imaging.film.frames import read_frames

    with closing(read_frames(file)) as frames:
        return next(frames)


def write_film(file: Path, target: Path, xmp: bytes) -> None:
    """Copy a film's pictures and sound into a new container.

    Its rotation, colours, rate and languages stay, and those of its words that an artist writes. Other tracks
    go, for cameras and drones record their way in data and in subtitles; so do covers and chapters.

    Args:
        file: the film.
        target: the copy; its ending is one of ``CONTAINERS``.
        xmp: the packet, written into containers of boxes.

    Raises:
        ArtgenError: PyAV is not installed, or cannot copy the film.
        OSError: nothing more can be written.
    """
    from artgen.imaging.film.writer import load_av

    av = load_av(str(file))
    container = CONTAINERS[target.suffix.lower()]
    options = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if container in _BOXES else {})
    cover = av.stream.Disposition.attached_pic
    try:
        # Old recorders write titles in whatever letters their country used.
        with (
            av.open(str(file), metadata_errors="replace") as source,
            av.open(str(target), "w", format=container, options=options) as copy,
        ):
            copy.metadata.update({name: source.metadata[name] for name in _WORDS if name in source.metadata})
            pictures = [stream for stream in source.streams.video if not stream.disposition & cover][:1]
            streams = [*pictures, *source.streams.audio]
            if not streams:
                raise ValueError("neither pictures nor sound")
            tracks = {stream.index: copy.add_stream_from_template(stream, opaque=True) for stream in streams}
            for stream in streams:
                tracks[stream.index].metadata["language"] = stream.metadata.get("language", "und")
                if stream.codec_context.codec_tag == _APPLES_HEVC:
                    tracks[stream.index].codec_context.codec_tag = _APPLES_HEVC
            for packet in source.demux(streams):
                if packet.size:  # the last ones are empty
                    packet.stream = tracks[packet.stream.index]
                    copy.mux(packet)
    except (av.FFmpegError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        found = f"a film that cannot be copied ({getattr(error, 'strerror', error)})"
        raise ArtgenError(str(file), found, _RIGHT) from error
    if container in _BOXES:
        with target.open("ab") as end:
            end.write((24 + len(xmp)).to_bytes(4, "big") + b"uuid" + _XMP + xmp)
