"""Reading of films by PyAV (the extra ``video``), one frame at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from artgen.errors import ArtgenError
from artgen.imaging.film.hdr import HLG_TRANSFER, PQ_TRANSFER, convert_hdr_to_srgb
from artgen.imaging.film.writer import load_av

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from torch import Tensor

SUPPORTED_FILMS = "give a film that plays: MP4, MOV, MKV, WebM, AVI, GIF"
# A film of at least this height (px) that names no colour matrix has that of HDTV.
MIN_HD_HEIGHT_PX = 720
BT2020_PRIMARIES = 9  # FFmpeg's number
UNSPECIFIED_COLORSPACE = 2  # FFmpeg's number for a film that names no colour matrix


@dataclass(frozen=True)
class FilmInfo:
    """Size, frame rate and length of a film, as its file states them.

    Attributes:
        width: px, of the upright picture with square pixels.
        height: px, likewise.
        fps: average frames per second.
        seconds: length; 0 if the file does not state it.
        ticks_per_second: the frames' times are whole numbers of ticks.
    """

    width: int
    height: int
    fps: float
    seconds: float
    ticks_per_second: int = 90_000


@dataclass(frozen=True)
class FilmFrame:
    """One decoded frame; its pixels are converted when they are needed.

    Attributes:
        seconds: time since the film's beginning.
        width: px, of the upright picture with square pixels.
        height: px, likewise.
    """

    seconds: float
    width: int
    height: int
    _av_frame: VideoFrame
    _quarter_turns: int

    def to_rgb(self, size: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
        """Return the frame as sRGB ``(H, W, 3)``; high dynamic range (HLG, PQ) is converted to it.

        It is resampled by area to half the size or less, otherwise by Lanczos.

        Args:
            size: ``(H, W)`` in px; None keeps the frame's size.
        """
        transfer = int(self._av_frame.color_trc)
        if transfer not in (HLG_TRANSFER, PQ_TRANSFER):
            return self._convert("rgb24", size)
        has_wide_primaries = int(self._av_frame.color_primaries) == BT2020_PRIMARIES
        return convert_hdr_to_srgb(
            self._convert("rgb48le", size), transfer, has_wide_primaries=has_wide_primaries
        )

    def to_grey(self, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """Return the frame's luma, resampled by area to ``size`` ``(H, W)``: for comparing frames."""
        return self._convert("gray", size)

    def to_tensor(self, size: tuple[int, int] | None = None) -> Tensor:
        """Return the frame as an image, float32 ``(3, H, W)`` in [0, 1]; ``size`` as for ``to_rgb``."""
        import torch

        return torch.from_numpy(self.to_rgb(size)).permute(2, 0, 1).contiguous().float().div_(255)

    def _convert(self, pixel_format: str, size: tuple[int, int] | None) -> npt.NDArray[Any]:
        from av.video.reformatter import Colorspace, Interpolation

        height, width = size or (self.height, self.width)
        frame = self._av_frame
        shrinks = 2 * height <= self.height and 2 * width <= self.width
        if self._quarter_turns % 2:
            height, width = width, height
        kernel = Interpolation.AREA if shrinks or pixel_format == "gray" else Interpolation.LANCZOS
        is_unspecified = frame.colorspace == UNSPECIFIED_COLORSPACE and not frame.format.is_rgb
        assumes_hd = is_unspecified and frame.height >= MIN_HD_HEIGHT_PX
        converted = frame.reformat(
            width,
            height,
            pixel_format,
            src_colorspace=Colorspace.ITU709 if assumes_hd else None,
            interpolation=kernel | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT,
            dst_color_range="JPEG",
            threads=1,
        )
        turned = np.rot90(converted.to_ndarray(), self._quarter_turns)
        return np.ascontiguousarray(turned)


def read_film_info(path: Path) -> FilmInfo:
    """Read a film's size, frame rate and length from its header and its first frame.

    Raises:
        ArtgenError: PyAV is missing, or the file is no film that can be read.
    """
    with open_film(path) as (container, stream):
        fps = float(stream.average_rate or stream.guessed_rate or 25)
        length = stream.duration * stream.time_base if stream.duration and stream.time_base else 0
        seconds = float(length or (container.duration or 0) / 1_000_000)
        ticks_per_second = stream.time_base.denominator if stream.time_base else 90_000
    with closing(read_frames(path)) as frames:
        frame = next(frames)
    return FilmInfo(frame.width, frame.height, fps, seconds, ticks_per_second)


def read_frames(
    path: Path,
    *,
    start: float = 0.0,
    end: float | None = None,
    on_damaged_packet: Callable[[str], None] = lambda problem: None,
) -> Generator[FilmFrame]:
    """Decode a film's frames one at a time, in constant memory.

    Frames are upright and have square pixels, whatever the rotation mark and pixel aspect of the file. Each
    has its own time, because frame rates may vary.

    Args:
        path: the film.
        start: seconds; earlier frames are skipped.
        end: seconds, exclusive; None for the film's end.
        on_damaged_packet: called with the problem of each packet that cannot be decoded and is left out.

    Raises:
        ArtgenError: PyAV is missing, the file is no film, or no frame of it can be decoded.
    """
    av = load_av(str(path))
    has_frames = False
    with open_film(path) as (container, stream):
        stream.thread_type = "AUTO"
        frame_seconds = 1 / float(stream.average_rate or 25)
        stream_start = float((stream.start_time or 0) * (stream.time_base or 0))
        aspect = stream.sample_aspect_ratio or Fraction(1)
        if start > 0 and stream.time_base:
            with suppress(av.FFmpegError):  # a format without an index is decoded from its beginning
                container.seek(int((stream_start + start) / stream.time_base), stream=stream)
        seconds = -frame_seconds
        for av_frame in _decode_packets(av, container, stream, on_damaged_packet):
            has_frames = True
            seconds = (
                float(av_frame.time) - stream_start if av_frame.time is not None else seconds + frame_seconds
            )
            if end is not None and seconds >= end:
                break
            if seconds >= start - 1e-6:
                yield _orient_frame(seconds, av_frame, aspect)
    if not has_frames:
        raise ArtgenError(str(path), "no frame of it can be decoded", SUPPORTED_FILMS)


def _decode_packets(
    av: Any, container: InputContainer, stream: VideoStream, on_damaged_packet: Callable[[str], None]
) -> Iterator[VideoFrame]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:  # the file is truncated: the packets before are good
            on_damaged_packet(error.strerror)
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.FFmpegError as error:
            on_damaged_packet(error.strerror)


def _orient_frame(seconds: float, av_frame: VideoFrame, aspect: Fraction) -> FilmFrame:
    quarter_turns = round(av_frame.rotation / 90) % 4
    width, height = max(1, round(av_frame.width * aspect)), av_frame.height
    if quarter_turns % 2:
        width, height = height, width
    return FilmFrame(seconds, width, height, av_frame, quarter_turns)


@contextmanager
def open_film(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a film for the duration of the block; yield its container and its video stream.

    Raises:
        ArtgenError: PyAV is missing, or the file is no film that can be read.
    """
    av = load_av(str(path))
    if not path.is_file():
        raise ArtgenError(str(path), "not a file" if path.exists() else "no such file", SUPPORTED_FILMS)
    try:
        # Old recorders write titles in the local encoding.
        container = av.open(str(path), metadata_errors="replace")
    except av.FFmpegError as error:
        raise ArtgenError(
            str(path), f"not a film that can be read ({error.strerror})", SUPPORTED_FILMS
        ) from error
    with container:
        cover_image = av.stream.Disposition.attached_pic
        stream = next((s for s in container.streams.video if not s.disposition & cover_image), None)
        if stream is None:
            raise ArtgenError(str(path), "holds no moving pictures", SUPPORTED_FILMS)
        yield container, stream
