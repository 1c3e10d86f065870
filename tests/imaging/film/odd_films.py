"""Twenty films by table: HDR, turned, of odd sizes and rates, in other containers, broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from artgen.imaging.film.hdr import HLG_TRANSFER, PQ_TRANSFER
from tests.imaging.film.test_hdr import encode_hdr
from tests.imaging.io.odd_pictures import SCENE

FRAMES = 4
BT601, BT2020 = 5, 9


@dataclass(frozen=True)
class OddFilm:
    """A film of the scene, which lasts four frames.

    Attributes:
        name: of the file.
        codec: FFmpeg's name.
        pixel_format: FFmpeg's name.
        size: width and height of the part that is filmed, px.
        rotation: quarter turns by a mark in the file.
        transfer: of HDR; None for SDR.
        times: of the frames, in 25ths of a second.
        options: of the codec.
    """

    name: str
    codec: str = "libx264"
    pixel_format: str = "yuv444p"
    size: tuple[int, int] = (96, 64)
    rotation: int = 0
    transfer: int | None = None
    times: tuple[int, ...] = (0, 1, 2, 3)
    options: dict[str, str] = field(default_factory=lambda: {"crf": "10"})

    @property
    def pixels(self) -> np.ndarray:
        """What was filmed, ``(H, W, 3)`` uint8, as it lies in the file."""
        width, height = self.size
        return np.ascontiguousarray(SCENE[:height, :width])


FILMS = (
    OddFilm("sdr.mp4"),
    OddFilm("half-chroma.mp4", pixel_format="yuv420p"),
    OddFilm("odd-size.mp4", size=(95, 63)),
    OddFilm("tiny.mp4", size=(17, 9)),
    OddFilm("turned90.mp4", rotation=90),
    OddFilm("turned180.mp4", rotation=180),
    OddFilm("hlg.mp4", pixel_format="yuv444p10le", transfer=HLG_TRANSFER),
    OddFilm("pq.mp4", pixel_format="yuv444p10le", transfer=PQ_TRANSFER),
    OddFilm("variable-rate.mp4", times=(0, 7, 8, 90)),
    OddFilm("one-frame.mp4", times=(0,)),
    OddFilm("old.mp4", codec="mpeg4", pixel_format="yuv420p", options={"qscale": "2"}),
    OddFilm("phone.mov", pixel_format="yuv420p", rotation=90),
    OddFilm("archive.mkv", codec="ffv1", options={}),
    OddFilm("web.webm", codec="libvpx-vp9", pixel_format="yuv420p"),
    OddFilm("camera.avi", codec="mpeg4", pixel_format="yuv420p", options={}),
    OddFilm("tv.mts", pixel_format="yuv420p"),
)
BROKEN_FILMS = ("empty.mp4", "words.mp4", "half.mp4", "words.m4v")


def write_odd_films(folder: Path) -> Iterator[OddFilm]:
    """Write the films, and the broken ones; yield those that can be read."""
    for film in FILMS:
        _write_film(folder / film.name, film)
        yield film
    whole = (folder / "sdr.mp4").read_bytes()
    for name in BROKEN_FILMS:
        content = {"empty": b"", "half": whole[: len(whole) // 2]}.get(name.split(".")[0], b"only words")
        (folder / name).write_bytes(content)


def _write_film(path: Path, film: OddFilm) -> None:
    container_format = {".mts": "mpegts"}.get(path.suffix)
    with av.open(str(path), "w", format=container_format) as container:
        stream: Any = container.add_stream(film.codec, rate=25, options=film.options)
        stream.width, stream.height = film.size
        stream.pix_fmt, stream.time_base = film.pixel_format, Fraction(1, 25)
        if film.rotation:
            stream.set_display_rotation(film.rotation)
        colours = {"color_primaries": BT2020 if film.transfer else 1, "color_range": 1}
        colours |= {"color_trc": film.transfer or 1, "colorspace": BT2020 if film.transfer else BT601}
        for name, value in colours.items():
            setattr(stream.codec_context, name, value)
        pixels = encode_hdr(film.pixels, film.transfer) if film.transfer else film.pixels
        for time in film.times:
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb48le" if film.transfer else "rgb24")
            frame = frame.reformat(
                format=film.pixel_format, dst_colorspace=colours["colorspace"], dst_color_range="MPEG"
            )
            for name, value in colours.items():
                setattr(frame, name, value)
            frame.pts, frame.time_base = time, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
