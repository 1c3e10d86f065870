"""Odd and broken pictures: each is read rightly, or refused with its name and the reason."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from artgen.errors import ArtgenError, WriteError
from artgen.imaging.io.files import (
    TEMPORARY_FILE_PREFIX,
    atomic_write,
    read_image,
    sweep,
    sync_folder,
    write_png,
    write_preview,
)
from artgen.imaging.io.png_text import read_text

COLOURS = np.array(
    [[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[255, 255, 255], [0, 0, 0], [128, 64, 32]]], np.uint8
)
PICTURE = Image.fromarray(np.kron(COLOURS, np.ones((16, 16, 1), np.uint8)))
NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8))


def read(path: Path) -> np.ndarray:
    image = read_image(path)
    assert image.dtype == torch.float32
    assert image.shape[0] == 3
    assert image.min() >= 0
    assert image.max() <= 1
    return image.permute(1, 2, 0).numpy()


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def png(width: int, height: int, *chunks: tuple[bytes, bytes], depth: int = 8, colour: int = 2) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


def truncated(format_: str, share: float) -> bytes:
    buffer = io.BytesIO()
    NOISE.save(buffer, format_)
    return buffer.getvalue()[: int(buffer.tell() * share)]


def flipped_bits() -> bytes:
    buffer = io.BytesIO()
    NOISE.save(buffer, "PNG")
    content = bytearray(buffer.getvalue())
    content[len(content) // 2] ^= 0xFF
    return bytes(content)


BROKEN: dict[str, bytes] = {
    "empty.png": b"",
    "text.png": b"title = 'not a picture'\n" * 40,
    "html.jpg": b"<!doctype html><title>404</title>",
    "header-only.png": png(10, 10)[:33],
    "no-pixels.png": png(10, 10),
    "bomb.png": png(60_000, 60_000, (b"IDAT", zlib.compress(b"\0" * 1000))),
    "wide-bomb.png": png(2**31 - 1, 1, (b"IDAT", zlib.compress(b"\0" * 1000))),
    "zero-size.png": png(0, 0, (b"IDAT", zlib.compress(b""))),
    "wrong-depth.png": png(4, 4, (b"IDAT", zlib.compress(b"\0" * 100)), depth=3),
    "bad-zlib.png": png(4, 4, (b"IDAT", b"nonsense" * 10)),
    "short-zlib.png": png(64, 64, (b"IDAT", zlib.compress(b"\0" * 100))),
    "flipped.png": flipped_bits(),
    "signature.png": b"\x89PNG\r\n\x1a\n",
    "truncated.png": truncated("PNG", 0.6),
    "truncated.jpg": truncated("JPEG", 0.6),
    "truncated.webp": truncated("WEBP", 0.6),
    "truncated.tif": truncated("TIFF", 0.6),
    "truncated.bmp": truncated("BMP", 0.6),
    "truncated.ppm": truncated("PPM", 0.6),
    "truncated.gif": truncated("GIF", 0.4),
    "truncated.avif": truncated("AVIF", 0.6),
    "truncated.jp2": truncated("JPEG2000", 0.3),
    "jpeg-header.jpg": truncated("JPEG", 1)[:200],
    "webp-header.webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
    "postscript.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n",
    "icon.png": b"\x00\x00\x01\x00\x01\x00\xff\xff\x00\x00\x01\x00\x20\x00\xff\xff\xff\x7f\x16\x00\x00\x00",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_pictures_are_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BROKEN[name])
    with pytest.raises(ArtgenError, match=name.replace(".", r"\.")) as caught:
        read_image(path)
    assert len(str(caught.value)) < 500
    if "bomb" in name:
        assert "million" in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtgenError, match="a folder"):
        read_image(tmp_path)
    with pytest.raises(ArtgenError, match="No such file"):
        read_image(tmp_path / "absent.png")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        with pytest.raises(ArtgenError, match="not a regular file"):
            read_image(tmp_path / "pipe.png")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    rows = zlib.compressobj()
    pixels = b"".join(rows.compress(b"\0" * 60_001) for _ in range(2000)) + rows.flush()
    path = tmp_path / "bomb.png"
    path.write_bytes(png(60_000, 60_000, (b"IDAT", pixels), colour=0))
    with pytest.raises(ArtgenError, match="60000 x 60000 px is more than"):
        read_image(path)


def test_the_limit_can_be_set_either_way(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", PICTURE)
    with pytest.raises(ArtgenError, match="48 x 32 px"):
        read_image(path, max_pixels=100)
    assert read_image(path, max_pixels=48 * 32).shape == (3, 32, 48)


FAITHFUL: dict[str, Callable[[Path], Path]] = {
    "rgb": lambda d: saved(d / "a.png", PICTURE),
    "rgba": lambda d: saved(d / "a.png", PICTURE.convert("RGBA")),
    "palette": lambda d: saved(d / "a.png", PICTURE.quantize(256)),
    "palette gif": lambda d: saved(d / "a.gif", PICTURE.quantize(256)),
    "bmp": lambda d: saved(d / "a.bmp", PICTURE),
    "tiff": lambda d: saved(d / "a.tif", PICTURE, compression="tiff_lzw"),
    "ppm": lambda d: saved(d / "a.ppm", PICTURE),
    "webp": lambda d: saved(d / "a.webp", PICTURE, lossless=True),
    "misnamed": lambda d: saved(d / "a.jpg", PICTURE, format="PNG"),
    "no ending": lambda d: saved(d / "picture", PICTURE, format="PNG"),
    "animated gif": lambda d: saved(
        d / "a.gif", PICTURE, save_all=True, append_images=[NOISE.resize((48, 32))]
    ),
    "animated webp": lambda d: saved(
        d / "a.webp", PICTURE, lossless=True, save_all=True, append_images=[NOISE.resize((48, 32))]
    ),
    "animated png": lambda d: saved(
        d / "a.png", PICTURE, save_all=True, append_images=[NOISE.resize((48, 32))]
    ),
    "srgb profile": lambda d: saved(
        d / "a.png", PICTURE, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ),
    "broken profile": lambda d: saved(d / "a.png", PICTURE, icc_profile=b"no profile at all"),
    "broken exif": lambda d: saved(d / "a.png", PICTURE, exif=b"Exif\0\0MM\0*\0\0\xff\xff"),
}


@pytest.mark.parametrize("name", FAITHFUL)
def test_odd_pictures_are_read_rightly(tmp_path: Path, name: str) -> None:
    expected = np.asarray(PICTURE, np.float32) / 255
    assert np.abs(read(FAITHFUL[name](tmp_path)) - expected).max() <= 2.6 / 255


def test_cmyk(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", PICTURE.convert("CMYK"), quality=98)
    assert np.abs(read(path) - np.asarray(PICTURE) / 255).mean() < 0.03


def test_sixteen_bit_grey_keeps_its_precision(tmp_path: Path) -> None:
    values = np.arange(256 * 256, dtype=np.uint16).reshape(256, 256)
    for name in ("a.png", "a.tif"):
        image = read(saved(tmp_path / name, Image.fromarray(values)))
        assert np.array_equal(np.round(image[..., 1] * 65535), values)
    for name, order in (("big.tif", ">u2"),):
        image = read(saved(tmp_path / name, Image.fromarray(values.astype(order))))
        assert np.array_equal(np.round(image[..., 1] * 65535), values)


def test_sixteen_bit_colour(tmp_path: Path) -> None:
    row = np.linspace(0, 65535, 64).astype(">u2")
    rows = b"".join(b"\0" + np.stack([row, row[::-1], row], -1).astype(">u2").tobytes() for _ in range(8))
    path = tmp_path / "a.png"
    path.write_bytes(png(64, 8, (b"IDAT", zlib.compress(rows)), depth=16))
    assert np.abs(read(path)[0, :, 0] - row / 65535).max() < 1 / 255


@pytest.mark.parametrize("mode", ["L", "1", "F", "I"])
def test_grey_of_every_depth(tmp_path: Path, mode: str) -> None:
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (8, 1))
    images = {
        "L": Image.fromarray((ramp * 255).round().astype(np.uint8)),
        "1": Image.fromarray(ramp > 0.5),
        "F": Image.fromarray(ramp),
        "I": Image.fromarray((ramp * 65535).astype(np.int32)),
    }
    image = read(saved(tmp_path / "a.tif", images[mode]))
    expected = ramp > 0.5 if mode == "1" else ramp
    assert np.abs(image - np.float32(expected)[..., None]).max() < 0.003


def test_thirty_two_bit_integers_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "deep.tif", Image.fromarray(np.full((4, 4), 2**30, np.int32)))
    with pytest.raises(ArtgenError, match=r"deep\.tif: 32-bit"):
        read_image(path)


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    half = Image.new("RGBA", (4, 4), (255, 0, 0, 128))
    assert np.allclose(read(saved(tmp_path / "a.png", half))[0, 0], [1, 0.498, 0.498], atol=0.01)
    grey = Image.new("LA", (4, 4), (0, 0))
    assert np.allclose(read(saved(tmp_path / "b.png", grey)), 1)
    indexed = Image.new("P", (4, 4), 0)
    indexed.putpalette([0, 0, 255, 9, 9, 9])
    assert np.allclose(read(saved(tmp_path / "c.gif", indexed, transparency=0)), 1)
    keyed = Image.new("RGB", (4, 4), (1, 2, 3))
    assert np.allclose(read(saved(tmp_path / "d.png", keyed, transparency=(1, 2, 3))), 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path: Path, orientation: int) -> None:
    turned = {
        1: np.asarray(PICTURE),
        2: np.asarray(PICTURE)[:, ::-1],
        3: np.asarray(PICTURE)[::-1, ::-1],
        4: np.asarray(PICTURE)[::-1],
        5: np.asarray(PICTURE).transpose(1, 0, 2),
        6: np.rot90(np.asarray(PICTURE), 1),
        7: np.asarray(PICTURE)[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(np.asarray(PICTURE), 3),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "a.png", Image.fromarray(np.ascontiguousarray(turned)), exif=exif)
    assert np.allclose(read(path), np.asarray(PICTURE) / 255, atol=1e-6)


def test_profiles_are_converted_to_srgb(tmp_path: Path) -> None:
    lab = Image.new("RGB", (4, 4), (60, 120, 200)).convert("LAB")
    assert np.allclose(read(saved(tmp_path / "a.tif", lab))[0, 0] * 255, [60, 120, 200], atol=40)
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = bytearray(linear)
    red, blue = linear.index(b"rXYZ"), linear.index(b"bXYZ")
    swapped[red : red + 4], swapped[blue : blue + 4] = b"bXYZ", b"rXYZ"
    path = saved(tmp_path / "b.png", Image.new("RGB", (4, 4), (255, 0, 0)), icc_profile=bytes(swapped))
    assert np.allclose(read(path)[0, 0], [0, 0, 1], atol=0.02)


def test_png_goes_round_with_its_text(tmp_path: Path) -> None:
    image = torch.rand(3, 31, 17)
    text = {"artgen": '{"title": "Größe"}', "Software": "artgen", "XML:com.adobe.xmp": "<x/>"}
    write_png(tmp_path / "a.png", image, text)
    write_png(tmp_path / "b.png", image, text)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert read_text(tmp_path / "a.png") == text
    with Image.open(tmp_path / "a.png") as opened:
        assert opened.info["artgen"] == text["artgen"]
    assert (read_image(tmp_path / "a.png") - image).abs().max() <= 0.5 / 255 + 1e-6
    assert image.max() <= 1


def test_previews_are_small_and_tiny_ones_exact(tmp_path: Path) -> None:
    write_preview(tmp_path / "a.webp", torch.rand(3, 400, 300), 100)
    with Image.open(tmp_path / "a.webp") as opened:
        assert opened.size == (75, 100)
    tiny = torch.rand(3, 32, 32).mul(255).round().div(255)
    write_preview(tmp_path / "b.webp", tiny, 100)
    assert torch.allclose(read_image(tmp_path / "b.webp"), tiny)


HOSTILE_TEXT: dict[str, tuple[bytes, bytes]] = {
    "too much": (b"tEXt", b"artgen\0" + b"x" * (5 << 20)),
    "too much once inflated": (b"zTXt", b"artgen\0\0" + zlib.compress(b"x" * (200 << 20))),
    "too much, iTXt": (b"iTXt", b"artgen\0\1\0\0\0" + zlib.compress(b"x" * (200 << 20))),
    "no keyword": (b"tEXt", b"artgen"),
    "no zlib": (b"zTXt", b"artgen\0\0nonsense"),
    "no UTF-8": (b"iTXt", b"artgen\0\0\0\0\0\xff\xff"),
    "keyword too long": (b"tEXt", b"a" * 80 + b"\0x"),
}


@pytest.mark.parametrize("name", HOSTILE_TEXT)
def test_hostile_text_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "hostile.png"
    path.write_bytes(png(1, 1, HOSTILE_TEXT[name]))
    with pytest.raises(ArtgenError, match=r"hostile\.png"):
        read_text(path)


def test_text_of_a_damaged_file_is_refused(tmp_path: Path) -> None:
    complete = png(1, 1, (b"tEXt", b"artgen\0value"))
    path = tmp_path / "a.png"
    for content in (complete.replace(b"value", b"valve"), complete[:40], complete[:-12], b"", b"JPEG"):
        path.write_bytes(content)
        with pytest.raises(ArtgenError, match=r"a\.png"):
            read_text(path)


def test_a_write_is_whole_or_absent(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    atomic_write(file, b"old")
    with pytest.raises(WriteError, match="could not be written"):
        atomic_write(tmp_path / "absent" / "a.bin", b"new")
    (tmp_path / "folder").mkdir()
    with pytest.raises(WriteError, match="could not be written"):
        atomic_write(tmp_path / "folder", b"new")
    for no_name in (Path(), Path("/"), tmp_path / "a\0"):
        with pytest.raises(WriteError, match="could not be written"):
            atomic_write(no_name, b"new")
    assert file.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "folder"]


def test_sweep_removes_only_leftovers(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / f"{TEMPORARY_FILE_PREFIX}{ended.pid}-2").touch()
    (tmp_path / f"{TEMPORARY_FILE_PREFIX}no-number").touch()
    (tmp_path / f"{TEMPORARY_FILE_PREFIX}{os.getpid()}-old").touch()
    os.utime(tmp_path / f"{TEMPORARY_FILE_PREFIX}{os.getpid()}-old", (1, 1))
    (tmp_path / "a.png").touch()
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_sweep_leaves_what_is_being_written(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as writer:
        (tmp_path / f"{TEMPORARY_FILE_PREFIX}{writer.pid}-2").touch()
        sweep(tmp_path)
        assert list(tmp_path.iterdir())
        writer.kill()
        if Path("/proc/self/stat").exists():
            os.waitid(os.P_PID, writer.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet noticed by us
            sweep(tmp_path)
            assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="folders are not synced there")
def test_a_folder_that_cannot_be_synced_loses_no_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.chmod(0o333)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        atomic_write(Path("a.bin"), b"new")
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
    assert (folder / "a.bin").read_bytes() == b"new"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a file system that syncs no folder")
def test_a_file_system_that_syncs_no_folder() -> None:
    folder = os.open("/proc/self", os.O_RDONLY)
    with pytest.raises(OSError, match="Invalid argument"):
        os.fsync(folder)
    os.close(folder)
    sync_folder(Path("/proc/self"))
    with pytest.raises(FileNotFoundError):
        sync_folder(Path("/proc/self/absent"))
