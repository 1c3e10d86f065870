"""Odd pictures by table, each with its pixels as they are to be read, where these are known exactly."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

WIDTH, HEIGHT = 96, 64


def scene() -> np.ndarray:
    """Smooth colours, ``(64, 96, 3)`` uint8, which no two turns of have in common."""
    x, y = np.meshgrid(np.linspace(0, 1, WIDTH), np.linspace(0, 1, HEIGHT))
    colours = np.stack([0.1 + 0.8 * x, 0.15 + 0.7 * y, 0.85 - 0.7 * x * y], axis=2)
    return (colours * 255).round().astype(np.uint8)


SCENE = scene()
GREY = SCENE[..., 1]
ALPHA = np.broadcast_to(np.linspace(0, 255, WIDTH).round().astype(np.uint8), (HEIGHT, WIDTH))


def on_white(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    weight = alpha[..., None] / 255
    return colours * weight + 255 * (1 - weight)


def grey_as_rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(np.asarray(grey, np.float64)[..., None], 3, axis=2)


def srgb_to_light(values: np.ndarray) -> np.ndarray:
    unit = values / 255
    return np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)


def light_to_srgb(light: np.ndarray) -> np.ndarray:
    return 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def profile(name: str) -> bytes:
    """Return an ICC profile that libvips has built in: ``p3`` or ``cmyk``."""
    image = pyvips.Image.black(1, 1, bands=3).copy(interpretation="srgb")
    return bytes(image.icc_transform(name, input_profile="srgb").get("icc-profile-data"))


def grey_profile() -> bytes:
    """Return a profile of grey with a linear curve, so that 128 is much lighter than in sRGB."""
    tags = [
        (b"desc", b"desc" + bytes(4) + struct.pack(">I", 5) + b"grey\0" + bytes(78)),
        (b"wtpt", b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061)),
        (b"kTRC", b"curv" + bytes(4) + struct.pack(">I", 0)),
        (b"cprt", b"text" + bytes(4) + b"none\0"),
    ]
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for kind, data in tags:
        padded = data + bytes(-len(data) % 4)
        table += kind + struct.pack(">II", start + len(body), len(data))
        body += padded
    size = start + len(body)
    header = struct.pack(">I", size) + b"lcms" + bytes.fromhex("02100000") + b"mntrGRAYXYZ " + bytes(12)
    header += b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061) + bytes(48)
    return header + table + body


def png(pixels: np.ndarray, bits: int, colour_type: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of any kind, which Pillow could not write, with further chunks after the header."""
    values = pixels.astype(">u2" if bits == 16 else np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], bits, colour_type, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in ((b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        parts += [struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(kind + data))]
    return b"".join(parts)


def pillow(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def vips_tiff(pixels: np.ndarray, interpretation: str, **options: Any) -> bytes:
    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels)).copy(interpretation=interpretation)
    return bytes(image.tiffsave_buffer(**options))


def oriented(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def on_its_side(orientation: int) -> Image.Image:
    """Return the image that shows the scene once it is turned as an orientation says."""
    image, turns = Image.fromarray(SCENE), Image.Transpose
    turn_back = {
        2: turns.FLIP_LEFT_RIGHT,
        5: turns.TRANSPOSE,
        6: turns.ROTATE_90,
        7: turns.TRANSVERSE,
        8: turns.ROTATE_270,
    }
    return image.transpose(turn_back[orientation])


@dataclass(frozen=True)
class OddPicture:
    """A picture file.

    Attributes:
        name: of the file.
        content: its bytes.
        pixels: ``(H, W, 3)``, 0 to 255, as it is to be read; None where the format has losses.
        tolerance: of 255, for these pixels.
        frames: how many frames or pages it has.
    """

    name: str
    content: bytes
    pixels: np.ndarray | None = None
    tolerance: float = 2
    frames: int = 1


def list_odd_pictures() -> Iterator[OddPicture]:
    """Yield pictures of all modes, depths, profiles, gammas, orientations and formats that can be read."""
    rgb, grey = Image.fromarray(SCENE), Image.fromarray(GREY)
    rgba = Image.fromarray(np.dstack([SCENE, ALPHA]))
    deep, deep_grey = SCENE.astype(np.uint16) * 257, GREY.astype(np.uint16) * 257
    bits, palette = grey.convert("1"), rgb.quantize(64)
    palette_rgb = np.asarray(palette.convert("RGB"))
    p3 = profile("p3")
    p3_chunk, deep_alpha = (b"iCCP", b"p3\0\0" + zlib.compress(p3)), ALPHA.astype(np.uint16) * 257
    # All colours, also those that sRGB does not have.
    vivid = np.random.default_rng(3).integers(0, 256, SCENE.shape, np.uint16) * 257
    half, quarter = GREY // 2, (srgb_to_light(SCENE) * 255).round().astype(np.uint8)
    yield from (
        OddPicture("rgb.png", pillow(rgb, "PNG"), SCENE),
        OddPicture("grey.png", pillow(grey, "PNG"), grey_as_rgb(GREY)),
        OddPicture("rgba.png", pillow(rgba, "PNG"), on_white(SCENE, ALPHA)),
        OddPicture(
            "grey-alpha.png",
            png(np.dstack([GREY, ALPHA]), 8, 4),
            on_white(grey_as_rgb(GREY), ALPHA),
        ),
        OddPicture("palette.png", pillow(palette, "PNG"), palette_rgb),
        OddPicture(
            "palette-alpha.png",
            pillow(palette, "PNG", transparency=bytes(range(0, 256, 4))),
            on_white(palette_rgb, np.asarray(palette) * 4),
        ),
        OddPicture(
            "colour-key.png",
            png(SCENE, 8, 2, (b"tRNS", struct.pack(">HHH", *map(int, SCENE[20, 30])))),
            np.where((SCENE[20, 30] == SCENE).all(2)[..., None], 255, SCENE),
        ),
        OddPicture(
            "grey-key.png",
            png(GREY, 8, 0, (b"tRNS", struct.pack(">H", int(GREY[20, 0])))),
            grey_as_rgb(np.where(GREY[20, 0] == GREY, 255, GREY)),
        ),
        OddPicture("bits.png", pillow(bits, "PNG"), np.asarray(bits.convert("RGB"))),
        OddPicture("grey16.png", png(deep_grey, 16, 0), grey_as_rgb(GREY)),
        OddPicture(
            "grey16-key.png",
            png(deep_grey, 16, 0, (b"tRNS", struct.pack(">H", int(deep_grey[20, 0])))),
            grey_as_rgb(np.where(GREY[20, 0] == GREY, 255, GREY)),
        ),
        OddPicture("rgb16.png", png(deep, 16, 2), SCENE),
        OddPicture(
            "rgba16.png",
            png(np.dstack([deep, ALPHA.astype(np.uint16) * 257]), 16, 6),
            on_white(SCENE, ALPHA),
        ),
        OddPicture(
            "grey-alpha16.png",
            png(np.dstack([deep_grey, ALPHA.astype(np.uint16) * 257]), 16, 4),
            on_white(grey_as_rgb(GREY), ALPHA),
        ),
        OddPicture(
            "linear-gamma.png",
            png(quarter, 8, 2, (b"gAMA", struct.pack(">I", 100_000))),
            light_to_srgb(quarter / 255),
        ),
        OddPicture(
            "srgb-and-gamma.png",
            png(SCENE, 8, 2, (b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000))),
            SCENE,
        ),
        OddPicture("p3.png", _p3_png(rgb), SCENE, 3),
        OddPicture("p3-alpha.png", pillow(rgba, "PNG", icc_profile=p3)),
        OddPicture("p3-16.png", png(vivid, 16, 2, p3_chunk)),
        OddPicture("p3-alpha16.png", png(np.dstack([vivid, deep_alpha]), 16, 6, p3_chunk)),
        OddPicture("p3-16.tif", vips_tiff(vivid, "rgb16", profile="p3")),
        OddPicture("broken-profile.png", pillow(rgb, "PNG", icc_profile=b"no profile" * 30), SCENE),
        OddPicture("rgb-profile-of-grey.png", pillow(grey, "PNG", icc_profile=p3), grey_as_rgb(GREY)),
        OddPicture(
            "grey-profile.png",
            pillow(Image.fromarray(half), "PNG", icc_profile=grey_profile()),
            light_to_srgb(grey_as_rgb(half / 255)),
        ),
        OddPicture(
            "grey-profile16.png",
            png(half.astype(np.uint16) * 257, 16, 0, (b"iCCP", b"g\0\0" + zlib.compress(grey_profile()))),
            light_to_srgb(grey_as_rgb(half / 255)),
        ),
        OddPicture("orientation6.png", pillow(on_its_side(6), "PNG", exif=oriented(6)), SCENE),
        OddPicture("workflow.png", pillow(rgb, "PNG", pnginfo=_large_text()), SCENE),
        OddPicture("moving.png", pillow(rgb, "PNG", **_second_frame(rgb)), SCENE, frames=2),
    )
    for orientation in (2, 5, 7):
        content = pillow(on_its_side(orientation), "JPEG", quality=98, exif=oriented(orientation))
        yield OddPicture(f"orientation{orientation}.jpg", content)
    cmyk = rgb.convert("CMYK")
    yield from (
        OddPicture("chroma-half.jpg", pillow(rgb, "JPEG", quality=80)),
        OddPicture("grey.jpe", pillow(grey, "JPEG", quality=98)),
        OddPicture("p3.jfif", pillow(rgb, "JPEG", quality=98, icc_profile=p3)),
        OddPicture("two-eyes.mpo", pillow(rgb, "MPO", save_all=True, append_images=[grey.convert("RGB")])),
        OddPicture("cmyk.jpg", pillow(cmyk, "JPEG", quality=98)),
        OddPicture("cmyk-profile.jpg", pillow(cmyk, "JPEG", quality=98, icc_profile=profile("cmyk"))),
        OddPicture("cmyk.tif", pillow(cmyk, "TIFF"), SCENE),
        OddPicture("lossy.webp", pillow(rgb, "WEBP", quality=90)),
        OddPicture("alpha.webp", pillow(rgba, "WEBP", lossless=True, exact=True), on_white(SCENE, ALPHA)),
        OddPicture("moving.webp", pillow(rgb, "WEBP", lossless=True, **_second_frame(rgb)), SCENE, frames=2),
        OddPicture("a.avif", pillow(rgb, "AVIF", quality=90)),
        OddPicture("moving.gif", pillow(palette, "GIF", **_second_frame(palette)), palette_rgb, 3, frames=2),
        OddPicture("a.bmp", pillow(rgb, "BMP"), SCENE),
        OddPicture("a.ppm", pillow(rgb, "PPM"), SCENE),
        OddPicture("a.jp2", pillow(rgb, "JPEG2000"), SCENE),
    )
    unit = SCENE.astype(np.float32) / 255
    yield from (
        OddPicture("float.tif", vips_tiff(unit, "rgb"), SCENE),
        OddPicture("float255.tif", vips_tiff(SCENE.astype(np.float32), "rgb"), SCENE),
        OddPicture("float65535.tif", vips_tiff(unit * 65535, "rgb"), SCENE),
        OddPicture(
            "float-alpha.tif",
            vips_tiff(np.dstack([unit, ALPHA.astype(np.float32) / 255]), "rgb"),
            on_white(SCENE, ALPHA),
        ),
        OddPicture("float-grey.tif", vips_tiff(unit[..., 1], "b-w"), grey_as_rgb(GREY)),
        OddPicture("lab.tif", _lab_tiff("lab"), SCENE, 4),
        OddPicture("lab16.tif", _lab_tiff("labs"), SCENE, 4),
        OddPicture("rgb16.tif", vips_tiff(deep, "rgb16", compression="lzw"), SCENE),
        OddPicture("grey16.tiff", vips_tiff(deep_grey, "grey16"), grey_as_rgb(GREY)),
        OddPicture("white-is-zero.tif", vips_tiff(GREY, "b-w", miniswhite=True), grey_as_rgb(GREY)),
        OddPicture("white-is-zero16.tif", _white_is_zero16(deep_grey), grey_as_rgb(GREY)),
        OddPicture("ycc.tif", pillow(rgb, "TIFF", compression="jpeg", quality=98)),
        OddPicture(
            "pages.tif",
            pillow(rgb, "TIFF", save_all=True, append_images=[rgb.rotate(90)] * 2),
            SCENE,
            frames=3,
        ),
        OddPicture(
            "orientation8.tif",
            pillow(on_its_side(8), "TIFF", tiffinfo={274: 8}),
            SCENE,
        ),
    )


def _second_frame(image: Image.Image) -> dict[str, Any]:
    return {
        "save_all": True,
        "append_images": [image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)],
        "duration": 90,
    }


def _large_text() -> PngInfo:
    info = PngInfo()
    info.add_text("workflow", "node " * 400_000, zip=True)
    return info


def _p3_png(rgb: Image.Image) -> bytes:
    """Return the scene in Display P3: other numbers, the same colours."""
    p3 = profile("p3")
    converted = ImageCms.profileToProfile(rgb, ImageCms.createProfile("sRGB"), io.BytesIO(p3))
    assert converted is not None
    return pillow(converted, "PNG", icc_profile=p3)


def _lab_tiff(interpretation: str) -> bytes:
    return bytes(pyvips.Image.new_from_array(SCENE).colourspace(interpretation).tiffsave_buffer())


def _white_is_zero16(grey: np.ndarray) -> bytes:
    """Return a TIFF of 16 bits in which 0 means white."""
    content = bytearray(vips_tiff(65535 - grey, "grey16"))
    entry = content.index(struct.pack("<HHI", 262, 3, 1))
    content[entry + 8 : entry + 10] = bytes(2)
    return bytes(content)


BROKEN: dict[str, Callable[[], bytes]] = {
    "nothing.png": lambda: b"",
    "text.jpg": lambda: b"no picture at all, only words",
    "page.webp": lambda: b"<html><body>404</body></html>",
    "torn.png": lambda: _half(pillow(_noise(), "PNG")),
    "torn.jpg": lambda: _half(pillow(_noise(), "JPEG")),
    "torn.tif": lambda: _half(pillow(_noise(), "TIFF", compression="tiff_lzw")),
    "torn.webp": lambda: _half(pillow(_noise(), "WEBP", lossless=True)),
}


def _noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def write_odd_pictures(folder: Path) -> list[OddPicture]:
    """Write all pictures that can be read, and return them."""
    pictures = list(list_odd_pictures())
    for picture in pictures:
        (folder / picture.name).write_bytes(picture.content)
    return pictures


def write_broken_pictures(folder: Path) -> None:
    """Write the files that cannot be read as pictures."""
    for name, content in BROKEN.items():
        (folder / name).write_bytes(content())
