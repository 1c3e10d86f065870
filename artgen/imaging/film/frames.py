"""Films on disk, by PyAV (the extra ``video``), read one frame at a time: memory does not grow."""

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
from artgen.imaging.film.writer import load_av

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from torch import Tensor

RIGHT = "give a film that plays: MP4, MOV, MKV, WebM, AVI, GIF"
# From this many lines on a film that does not name its colour matrix has HDTV's.
HD_LINES = 720
UNNAMED = 2  # of a colour matrix


@dataclass(frozen=True)
class Film:
    """What a film says of itself.

    Attributes:
        width: px, upright, pixels square.
        height: px.
        rate: frames a second, on average.
        seconds: length; 0 where the file does not say.
        ticks: a second's parts, of which the frames' times are whole numbers.
    """

    width: int
    height: int
    rate: float
    seconds: float
    ticks: int = 90_000


@dataclass(frozen=True)
class Frame:
    """One decoded frame; pixels are converted when asked for.

    Attributes:
        seconds: since the film's beginning.
        width: px, upright, pixels square.
        height: px.
    """

    seconds: float
    width: int
    height: int
    _decoded: VideoFrame
    _quarters: int

    def rgb(self, size: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
        """``(H, W, 3)`` sRGB, of ``size`` (H, W): resampled by area to half or less, otherwise by Lanczos."""
        return self._converted("rgb24", size)

    def grey(self, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """Luma of ``size`` (H, W), by area: for comparing frames."""
        return self._converted("gray", size)

    def image(self, size: tuple[int, int] | None = None) -> Tensor:
        """``rgb`` as float32 ``(3, H, W)`` in [0, 1]."""
        import torch

        return torch.from_numpy(self.rgb(size)).permute(2, 0, 1).contiguous().float().div_(255)

    def _converted(self, layout: str, size: tuple[int, int] | None) -> npt.NDArray[np.uint8]:
        from av.video.reformatter import Colorspace, Interpolation

        height, width = size or (self.height, self.width)
        raw = self._decoded
        shrinks = 2 * height <= self.height and 2 * width <= self.width
        if self._quarters % 2:
            height, width = width, height
        kernel = Interpolation.AREA if shrinks or layout == "gray" else Interpolation.LANCZOS
        unnamed = raw.colorspace == UNNAMED and not raw.format.is_rgb and raw.height >= HD_LINES
        converted = raw.reformat(
            width,
            height,
            layout,
            src_colorspace=Colorspace.ITU709 if unnamed else None,
            interpolation=kernel | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT,
            dst_color_range="JPEG",
            threads=1,
        )
        array: npt.NDArray[np.uint8] = np.ascontiguousarray(np.rot90(converted.to_ndarray(), self._quarters))
        return array


def describe(path: Path) -> Film:
    """The film's size, rate and length, by its first frame and its header.

    Raises:
        ArtgenError: PyAV is missing, or the file is no film that can be read.
    """
    with opened(path) as (container, stream):
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        length = stream.duration * stream.time_base if stream.duration and stream.time_base else 0
        seconds = float(length or (container.duration or 0) / 1_000_000)
        ticks = stream.time_base.denominator if stream.time_base else 90_000
    with closing(read_frames(path)) as frames:
        frame = next(frames)
    return Film(frame.width, frame.height, rate, seconds, ticks)


def read_frames(
    path: Path,
    *,
    start: float = 0.0,
    end: float | None = None,
    damaged: Callable[[str], None] = lambda problem: None,
) -> Generator[Frame]:
    """Decode a film from ``start`` to before ``end``, in seconds, one frame at a time: memory does not grow.

    Frames come upright and with square pixels, whatever the camera's rotation mark and the pixel aspect, each
    with its own time: the rate may vary.

    Args:
        path: the film.
        start: seconds; the frames before are passed over.
        end: seconds; None for the film's end.
        damaged: told of each packet that could not be decoded and was left out.

    Raises:
        ArtgenError: PyAV is missing, the file is no film, or no frame of it can be decoded.
    """
    av = load_av(str(path))
    found = False
    with opened(path) as (container, stream):
        stream.thread_type = "AUTO"
        step = 1 / float(stream.average_rate or 25)
        first = float((stream.start_time or 0) * (stream.time_base or 0))
        aspect = stream.sample_aspect_ratio or Fraction(1)
        if start > 0 and stream.time_base:
            with suppress(av.FFmpegError):  # a format without an index is decoded from its beginning
                container.seek(int((first + start) / stream.time_base), stream=stream)
        seconds = -step
        for raw in _decoded(av, container, stream, damaged):
            found = True
            seconds = float(raw.time) - first if raw.time is not None else seconds + step
            if end is not None and seconds >= end:
                break
            if seconds >= start - 1e-6:
                yield _frame(seconds, raw, aspect)
    if not found:
        raise ArtgenError(str(path), "no frame of it can be decoded", RIGHT)


def _decoded(
    av: Any, container: InputContainer, stream: VideoStream, damaged: Callable[[str], None]
) -> Iterator[VideoFrame]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:  # the file ends in the middle: what came before is good
            damaged(error.strerror)
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.FFmpegError as error:
            damaged(error.strerror)


def _frame(seconds: float, raw: VideoFrame, aspect: Fraction) -> Frame:
    quarters = round(raw.rotation / 90) % 4
    width, height = max(1, round(raw.width * aspect)), raw.height
    if quarters % 2:
        width, height = height, width
    return Frame(seconds, width, height, raw, quarters)


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A film's container and its moving pictures, while the block lasts.

    Raises:
        ArtgenError: PyAV is missing, or the file is no film that can be read.
    """
    av = load_av(str(path))
    if not path.is_file():
        raise ArtgenError(str(path), "not a file" if path.exists() else "no such file", RIGHT)
    try:
        # Old recorders write titles in whatever letters their country used.
        container = av.open(str(path), metadata_errors="replace")
    except av.FFmpegError as error:
        raise ArtgenError(str(path), f"not a film that can be read ({error.strerror})", RIGHT) from error
    with container:
        cover = av.stream.Disposition.attached_pic
        stream = next((s for s in container.streams.video if not s.disposition & cover), None)
        if stream is None:
            raise ArtgenError(str(path), "holds no moving pictures", RIGHT)
        yield container, stream
