"""Originals that are saved again: the same pixels, depth, profile and resolution, or none and a word why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from artgen.errors import ArtgenError
from artgen.gallery.media.originals import published_ending, write_original
from artgen.gallery.media.xmp import EmbeddedMetadata, build_xmp_packet
from artgen.imaging.io.libvips import load_vips

WORDS = build_xmp_packet(EmbeddedMetadata(title="Nocturne"))
CHANCE = np.random.default_rng(7)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def saved(file: Path) -> Path:
    copy = file.with_name(f"copy{published_ending(file)}")
    write_original(file, copy, WORDS)
    return copy


def noise(*shape: int, kind: Any = np.uint8) -> Any:
    return load_vips().Image.new_from_array(CHANCE.integers(0, np.iinfo(kind).max, shape).astype(kind))


@pytest.mark.parametrize(
    ("pixels", "settings"),
    [
        pytest.param(lambda: noise(40, 50, 3, kind=np.uint16).copy(interpretation="rgb16"), {}, id="16 bits"),
        pytest.param(lambda: noise(40, 50, 4).copy(interpretation="cmyk"), {}, id="four inks"),
        pytest.param(lambda: noise(40, 50, 4).copy(interpretation="srgb"), {}, id="transparency"),
        pytest.param(lambda: noise(40, 50).cast("float") / 255, {}, id="floats"),
        pytest.param(
            lambda: (noise(40, 50) > 99).copy(interpretation="b-w"),
            {"bitdepth": 1, "predictor": 1},
            id="one bit",
        ),
        pytest.param(lambda: noise(40, 50, 3).copy(interpretation="srgb"), {"page_height": 20}, id="pages"),
    ],
)
def test_a_tiff(tmp_path: Path, pixels: Any, settings: dict[str, Any]) -> None:
    source, image = tmp_path / "a.tif", pixels().copy(xres=11.8, yres=11.8)
    if image.bands == 3:
        image.set_type(load_vips().GValue.blob_type, "icc-profile-data", PROFILE)
    image.set_type(load_vips().GValue.gint_type, "orientation", 6)
    image.tiffsave(str(source), compression="lzw", **settings)
    before, after = (load_vips().Image.tiffload(str(file), n=-1) for file in (source, saved(source)))
    for name in ("format", "bands", "interpretation", "xres", "yres"):
        assert getattr(after, name) == getattr(before, name)
    for name in (
        "bits-per-sample",
        "n-pages",
        "orientation",
        *(["icc-profile-data"] if image.bands == 3 else []),
    ):
        assert after.get(name) == before.get(name)
    assert (before == after).min() == 255
    assert b"Nocturne" in after.get("xmp-data")


@pytest.mark.parametrize("ending", ["webp", "gif"])
def test_an_animation_keeps_its_frames_and_their_times(tmp_path: Path, ending: str) -> None:
    source = tmp_path / f"a.{ending}"
    frames = [Image.fromarray(CHANCE.integers(0, 256, (40, 50, 3), np.uint8)) for _ in range(3)]
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=[100, 200, 50], loop=2)
    seen = []
    for file in (source, saved(source)):
        with Image.open(file) as image:
            seen.append([])
            for number in range(image.n_frames):
                image.seek(number)
                seen[-1].append((image.convert("RGB").tobytes(), image.info["duration"], image.info["loop"]))
    assert (len(seen[0]), seen[0]) == (3, seen[1])


@pytest.mark.parametrize("profile", [None, PROFILE])
def test_the_colours_of_an_avif_are_named(tmp_path: Path, profile: bytes | None) -> None:
    source = tmp_path / "a.avif"
    Image.new("RGBA", (60, 40), (0, 99, 99, 44)).save(source, icc_profile=profile)
    whole = source.read_bytes()  # BT.2020 rather than BT.709
    if profile is None:
        assert whole.count(b"colrnclx\0\x01") == 1
        source.write_bytes(whole.replace(b"colrnclx\0\x01", b"colrnclx\0\x09"))
    with Image.open(source) as before, Image.open(saved(source)) as after:
        assert (before.mode, before.tobytes()) == (after.mode, after.tobytes())
        assert after.info.get("icc_profile") == profile
    named = (tmp_path / "copy.png").read_bytes().partition(b"cICP")[2][:4]
    assert named == (b"\x09\x0d\0\1" if profile is None else b"")


def test_a_bmp(tmp_path: Path) -> None:
    image = Image.fromarray(CHANCE.integers(0, 256, (40, 50, 3), np.uint8))
    image.save(tmp_path / "a.bmp", dpi=(300, 300))
    with Image.open(saved(tmp_path / "a.bmp")) as after:
        assert (after.format, after.tobytes()) == ("PNG", image.tobytes())
        assert after.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_what_would_lose_something_is_withheld_and_its_work_hangs(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    image = noise(200, 300, 3, kind=np.uint16).copy(interpretation="rgb16")
    image.heifsave(str(photos / "deep.avif"), compression="av1", bitdepth=10, effort=1)
    image.tiffsave(str(photos / "layers.tif"), pyramid=True, tile=True, tile_width=64, tile_height=64)
    image.tiffsave(str(photos / "whole.tif"))
    Image.effect_noise((300, 200), 50).save(photos / "other.webp", "TIFF")
    command = [sys.executable, "-m", "artgen", "publish", "photos"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, why in (
        ("deep.avif", "an AVIF of 10 bits a channel"),
        ("layers.tif", "a TIFF that libvips cannot follow"),
        ("other.webp", "TIFF by its content"),
    ):
        assert f"no original to download: photos/{name}: {why}" in " ".join(done.stderr.split())
    site = tmp_path / "gallery"
    assert [file.name for file in (site / "originals").iterdir()] == ["whole.tif"]
    assert "Download the original" not in (site / "pieces" / "deep.html").read_text("utf-8")
    assert "Download the original" in (site / "pieces" / "whole.html").read_text("utf-8")
    again = subprocess.run([*command, "--plan"], cwd=tmp_path, capture_output=True, text=True)
    assert "nothing to do" in again.stdout


@pytest.mark.parametrize("name", ["a.heic", "a.dng", "a.avi", "a.dat", "a.wav"])
def test_what_may_say_where_it_was_taken_and_cannot_be_cleaned_is_refused(tmp_path: Path, name: str) -> None:
    begin = {"a.dat": b"II*\0\x08\0\0\0", "a.wav": b"RIFF\0\0\0\0WAVE"}.get(name, b"whatever")
    (tmp_path / name).write_bytes(begin)
    with pytest.raises(ArtgenError, match="may say where it was taken"):
        saved(tmp_path / name)


@pytest.mark.parametrize("name", ["a.pdf", "a.svg", "a.txt"])
def test_other_files_go_as_they_are(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"whatever")
    assert saved(tmp_path / name).read_bytes() == b"whatever"


def test_a_picture_beside_the_text_is_named_as_what_it_becomes(tmp_path: Path) -> None:
    for name in ("me.avif", "me.png"):
        Image.new("RGB", (60, 40), "teal").save(tmp_path / name)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (60, 40)).save(tmp_path / "photos" / "a.png")
    (tmp_path / "gallery.toml").write_text('title = "Me"')
    (tmp_path / "about.md").write_text("![me](me.avif) ![me again](me.png)")
    command = [sys.executable, "-m", "artgen", "publish", "photos"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "gallery" / "about.html").read_text("utf-8")
    for name in ("me.avif.png", "me.png"):
        assert f'src="files/{name}"' in page
        with Image.open(tmp_path / "gallery" / "files" / name) as image:
            assert (image.format, image.size) == ("PNG", (60, 40))
