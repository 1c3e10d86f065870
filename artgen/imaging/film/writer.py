"""Writing of films by PyAV (the extra ``video``); ``frames`` reads them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from artgen.errors import ArtgenError, WriteError, report_write_errors
from artgen.imaging.io.files import put, sweep, temporary_for

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from torch import Tensor

H264_ENCODERS = ("libx264", "libopenh264", "h264_videotoolbox")


def load_av(where: str = "films") -> Any:
    """Import and return the module ``av`` (PyAV), with the libraries' own logging switched off.

    Args:
        where: what needs PyAV, named by the error.

    Raises:
        ArtgenError: PyAV is not installed.
    """
    try:
        import av
        import av.logging
    except ImportError:
        raise ArtgenError(where, "PyAV is not installed", "", "pip install 'artgen[video]'") from None
    av.logging.set_level(None)  # errors report what is wrong with a film, not prints of the libraries
    return av


class VideoWriter:
    """Writer of an MP4 that plays everywhere: H.264, 4:2:0, BT.709, the index at the beginning.

    Use ``with VideoWriter(path, width, height, fps) as film: film.add_frame(image)``. The complete file
    appears when the block ends; after a failure, or without a frame, there is none. 4:2:0 needs even sides:
    if a side is odd, the last column or row is repeated.

    Args:
        path: the file; its folder exists.
        width: of every frame, px.
        height: of every frame, px.
        fps: frames per second.
        quality: x264's constant rate factor: 18 looks lossless, 23 is smaller.

    Raises:
        ArtgenError: PyAV is missing or cannot write H.264; a frame has another size; ``path`` is a device.
        WriteError: the disk is full or the folder not writable.
    """

    def __init__(self, path: Path, width: int, height: int, fps: float, quality: int = 18) -> None:
        self._av = load_av()
        self._path, self._size, self.frame_count = path, (height, width), 0
        encoders = [name for name in H264_ENCODERS if name in self._av.codecs_available]
        if not encoders:
            raise ArtgenError(str(path), "this PyAV cannot write H.264", "", "pip install --upgrade av")
        self._temporary = temporary_for(path)
        sweep(path.parent)
        options = {"movflags": "+faststart"}
        with report_write_errors(path):
            self._container = self._av.open(str(self._temporary), "w", format="mp4", options=options)
        rate = Fraction(fps).limit_denominator(1001)
        self._stream = self._container.add_stream(encoders[0], rate=rate)
        self._stream.width, self._stream.height = width + width % 2, height + height % 2
        self._stream.pix_fmt = "yuv420p"
        if encoders[0] == "libx264":
            self._stream.options = {"crf": str(quality)}
        context = self._stream.codec_context
        context.color_range, context.colorspace = 1, 1  # limited range, BT.709
        context.color_primaries, context.color_trc = 1, 1

    def add_frame(self, image: Tensor) -> None:
        """Append a frame: ``(3, H, W)`` in [0, 1], of the film's size."""
        from av.video.reformatter import Interpolation

        from artgen.imaging.image import to_byte_array

        height, width = self._size
        if image.shape != (3, *self._size):
            problem = f"a picture of {image.shape[-1]} x {image.shape[-2]} px in a film of {width} x {height}"
            raise ArtgenError(str(self._path), problem, "every picture of a film has the same size")
        pixels = np.pad(to_byte_array(image), ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        frame = self._av.VideoFrame.from_ndarray(pixels, "rgb24")
        frame.color_range = 2  # RGB is full range
        frame.pts = self.frame_count
        self.frame_count += 1
        self._encode(
            frame.reformat(
                format="yuv420p",
                dst_colorspace="ITU709",
                dst_color_range="MPEG",
                interpolation=Interpolation.AREA | Interpolation.ACCURATE_RND,
            )
        )

    def _encode(self, frame: VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except (OSError, self._av.FFmpegError) as error:
            raise WriteError(self._path, error.strerror or str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exception_type: type[BaseException] | None, *exception: object) -> None:
        is_complete = exception_type is None and self.frame_count > 0
        try:
            if is_complete:
                self._encode(None)
            self._container.close()
            if is_complete:
                put(self._temporary, self._path)
        except (OSError, self._av.FFmpegError) as error:
            if exception_type is None:
                raise WriteError(self._path, error.strerror or str(error)) from error
        finally:
            self._temporary.unlink(missing_ok=True)
