"""Films of high dynamic range: what was filmed is what is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from skimage.data import coffee

from artgen.imaging.film.frames import read_frames
from artgen.imaging.film.hdr import (
    BT2020_LUMINANCE,
    BT2020_TO_BT709,
    HLG_TRANSFER,
    PQ_TRANSFER,
    convert_hdr_to_srgb,
)

av = pytest.importorskip("av")
Pixels = npt.NDArray[np.uint8]


def encode_hdr(picture: Pixels, transfer: int, brightness: float = 1.0) -> npt.NDArray[np.uint16]:
    """Encode an sRGB picture as a camera would, its white at 203 cd/m², by the formulas of BT.2100."""
    values = picture / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4) * brightness
    nits = np.maximum(light @ np.linalg.inv(BT2020_TO_BT709.astype(float)).T, 0) * 203
    if transfer == PQ_TRANSFER:
        power = (nits / 10_000) ** 0.1593017578125
        code = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    else:
        display = nits / 1000
        luminance = np.maximum(display @ BT2020_LUMINANCE, 1e-9)[..., None]
        scene = display * luminance ** (1 / 1.2 - 1)
        logarithmic = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        code = np.where(scene <= 1 / 12, np.sqrt(3 * scene), logarithmic)
    return (np.clip(code, 0, 1) * 65535).round().astype(np.uint16)


def _write_film(path: Path, pixels: npt.NDArray[np.uint16], transfer: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = pixels.shape[0], pixels.shape[1], "yuv444p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = (
            transfer,
            9,
            9,
            1,
        )
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb48le")
        frame = frame.reformat(format="yuv444p10le", dst_colorspace=9, dst_color_range="MPEG")
        frame.color_trc, frame.color_primaries, frame.colorspace, frame.color_range = transfer, 9, 9, 1
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


@pytest.mark.parametrize("transfer", [HLG_TRANSFER, PQ_TRANSFER], ids=["hlg", "pq"])
def test_a_film_shows_what_was_filmed(tmp_path: Path, transfer: int) -> None:
    picture = coffee()[:200, :300] // 10 * 9  # below the highlights that are compressed
    _write_film(tmp_path / "a.mkv", encode_hdr(picture, transfer), transfer)
    (frame,) = read_frames(tmp_path / "a.mkv")
    difference = np.abs(frame.to_rgb().astype(int) - picture)
    assert difference.mean() < 1
    assert np.quantile(difference, 0.99) <= 4


@pytest.mark.parametrize("transfer", [HLG_TRANSFER, PQ_TRANSFER], ids=["hlg", "pq"])
def test_highlights_are_compressed_in_order_and_keep_their_hue(transfer: int) -> None:
    ramp = np.linspace(0, 255, 256).astype(np.uint8)
    picture = np.stack([ramp, ramp // 2, ramp // 4], axis=1)[None]
    converted = convert_hdr_to_srgb(
        encode_hdr(picture, transfer, brightness=3.0), transfer, has_wide_primaries=True
    )
    red = converted[0, :, 0].astype(int)
    assert (np.diff(red) >= 0).all()
    assert red[-1] >= 250
    assert red[100] < red[200]
    assert (np.diff(converted[0].astype(int), axis=1) <= 0)[20:].all()  # red, then green, then blue
