"""Copies of films by PyAV: the streams unchanged, without metadata that tells where they were taken."""

from __future__ import annotations

import errno
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError

if TYPE_CHECKING:
    from artgen.imaging.film.frames import FilmFrame

# By file ending: FFmpeg's name of the container format.
CONTAINER_FORMATS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".m4a": "ipod",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
}
_BOX_FORMATS = ("mp4", "ipod", "mov")  # made of boxes (ISO/IEC 14496-12)
# All other metadata is dropped: it may tell where the film was taken, and with which camera.
_KEPT_METADATA = ("title", "artist", "copyright", "description", "comment", "date", "creation_time")
# https://developer.adobe.com/xmp/docs/XMPSpecifications: Part 3, files of the ISO base media format.
_XMP_BOX_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_APPLE_HEVC_TAG = "hvc1"  # Safari plays HEVC only under this tag
_EXPECTED_FILM = "give a whole .mp4 file"


def read_first_frame(file: Path) -> FilmFrame:
    """Decode the first frame of a film, upright and with square pixels.

    Raises:
        ArtgenError: PyAV is not installed, or cannot decode the file.
    """
    from artgen.imaging.film.frames import read_frames

    with closing(read_frames(file)) as frames:
        return next(frames)


def copy_film(file: Path, target: Path, xmp: bytes) -> None:
    """Copy a film's video and sound into a new file without encoding them again.

    Rotation, colours, frame rate and languages stay, and metadata that an artist writes, such as the title.
    Other tracks are dropped, because cameras and drones record their route in data and subtitle tracks; so
    are cover pictures and chapters.

    Args:
        file: the film.
        target: path of the copy; its ending is one of ``CONTAINER_FORMATS``.
        xmp: XMP packet, written into MP4, M4A and MOV files.

    Raises:
        ArtgenError: PyAV is not installed, or cannot copy the film.
        OSError: the disk is full.
    """
    from artgen.imaging.film.writer import load_av

    av = load_av(str(file))
    container_format = CONTAINER_FORMATS[target.suffix.lower()]
    options = {"fflags": "+bitexact"}
    if container_format in _BOX_FORMATS:
        options["movflags"] = "+faststart"
    cover_flag = av.stream.Disposition.attached_pic
    try:
        # Old recorders write titles in local encodings, which are not always valid UTF-8.
        with (
            av.open(str(file), metadata_errors="replace") as source,
            av.open(str(target), "w", format=container_format, options=options) as copy,
        ):
            copy.metadata.update(
                {name: source.metadata[name] for name in _KEPT_METADATA if name in source.metadata}
            )
            videos = [stream for stream in source.streams.video if not stream.disposition & cover_flag][:1]
            streams = [*videos, *source.streams.audio]
            if not streams:
                raise ValueError("neither pictures nor sound")
            copied = {stream.index: copy.add_stream_from_template(stream, opaque=True) for stream in streams}
            for stream in streams:
                copied[stream.index].metadata["language"] = stream.metadata.get("language", "und")
                if stream.codec_context.codec_tag == _APPLE_HEVC_TAG:
                    copied[stream.index].codec_context.codec_tag = _APPLE_HEVC_TAG
            for packet in source.demux(streams):
                if packet.size:  # the last packet of each stream is empty
                    packet.stream = copied[packet.stream.index]
                    copy.mux(packet)
    except (av.FFmpegError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        problem = f"a film that cannot be copied ({getattr(error, 'strerror', error)})"
        raise ArtgenError(str(file), problem, _EXPECTED_FILM) from error
    if container_format in _BOX_FORMATS:
        with target.open("ab") as end:
            end.write((24 + len(xmp)).to_bytes(4, "big") + b"uuid" + _XMP_BOX_UUID + xmp)
