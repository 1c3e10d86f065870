"""Pictures as programs write them: large texts and profiles, float pixels, other gammas."""

from __future__ import annotations

import os
import resource
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin
from PIL.PngImagePlugin import PngInfo

from artgen.imaging.io.files import from_pillow, read_image

ROOT = Path(__file__).parents[3]
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "F")
RAMP = np.linspace(0, 1, 64, dtype=np.float32)[None].repeat(8, 0)


def _png(*chunks: tuple[bytes, bytes]) -> bytes:
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in chunks:
        parts += [struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(kind + data))]
    return b"".join(parts)


def _ramp_png(*extra_chunks: tuple[bytes, bytes]) -> bytes:
    pixels = (RAMP * 255).round().astype(np.uint8)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels))
    return _png((b"IHDR", header), *extra_chunks, (b"IDAT", data), (b"IEND", b""))


@pytest.mark.parametrize("kind", ["plain", "compressed", "international", "bomb"])
def test_texts_of_any_size_are_ignored(tmp_path: Path, kind: str) -> None:
    info, text = PngInfo(), "node " * 400_000
    if kind == "international":
        info.add_itxt("workflow", text, zip=True)
    elif kind == "bomb":
        for number in range(3):
            info.add_text(f"bomb{number}", "\0" * 50_000_000, zip=True)
    else:
        info.add_text("workflow", text * (12 if kind == "plain" else 1), zip=kind == "compressed")
    Image.fromarray((RAMP * 255).astype(np.uint8), "L").save(tmp_path / "a.png", pnginfo=info)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert read_image(tmp_path / "a.png").shape == (3, 8, 64)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_a_large_profile_is_applied(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    padded = struct.pack(">I", len(profile) + 3_000_000) + profile[4:] + bytes(3_000_000)
    chunk = b"large\0\0" + zlib.compress(padded)
    (tmp_path / "a.png").write_bytes(_ramp_png((b"iCCP", chunk)))
    limit = PngImagePlugin.MAX_TEXT_CHUNK
    with ThreadPoolExecutor(4) as pool:
        for image in pool.map(read_image, [tmp_path / "a.png"] * 20):
            assert np.abs(image[0].numpy() - RAMP).max() < 2 / 255
    assert limit == PngImagePlugin.MAX_TEXT_CHUNK  # other users of Pillow in this process keep theirs


@pytest.mark.parametrize("white", [1, 255, 65535])
def test_float_pixels_of_any_range(tmp_path: Path, white: int) -> None:
    Image.fromarray(RAMP * white, "F").save(tmp_path / "a.tif")
    assert np.abs(read_image(tmp_path / "a.tif")[0].numpy() - RAMP).max() < 2 / 255


@pytest.mark.parametrize(
    ("gamma", "middle"), [(100_000, 0.735), (45_455, 0.5), (55_556, 0.5704), (0, 0.5)], ids=str
)
def test_another_gamma_is_converted(tmp_path: Path, gamma: int, middle: float) -> None:
    (tmp_path / "a.png").write_bytes(_ramp_png((b"gAMA", struct.pack(">I", gamma))))
    row = read_image(tmp_path / "a.png")[0, 0].numpy()
    assert abs(np.interp(0.5, RAMP[0], row) - middle) < 0.01
    (tmp_path / "a.png").write_bytes(_ramp_png((b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", gamma))))
    assert np.abs(read_image(tmp_path / "a.png")[0].numpy() - RAMP).max() < 2 / 255


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "F"]
)
@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_strips_change_no_pixel(mode: str, orientation: int) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (37, 23, 4), np.uint8)
    image = Image.fromarray(noise, "RGBA")
    image = image.convert("L").convert(mode) if mode in ("I;16", "F", "PA") else image.convert(mode)
    image.getexif()[0x0112] = orientation
    assert np.array_equal(from_pillow(image, strip_pixels=100).numpy(), from_pillow(image).numpy())


LARGE_CODE = """
import resource, sys
from pathlib import Path
from artgen.imaging.io.files import from_pillow, read_image
import torch, numpy
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), -1))
print(tuple(read_image(Path("large.png")).shape))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_a_large_picture_of_one_colour_takes_twice_its_floats_at_most(tmp_path: Path) -> None:
    Image.new("RGBA", (9000, 9000), (200, 30, 40, 128)).save(tmp_path / "large.png")
    assert (tmp_path / "large.png").stat().st_size < 500_000
    float_bytes, libraries_bytes = 9000 * 9000 * 3 * 4, 3 << 30  # torch maps much that it never touches
    done = subprocess.run(
        [sys.executable, "-c", LARGE_CODE, str(2 * float_bytes + libraries_bytes)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout.strip() == "(3, 9000, 9000)", done.stderr
