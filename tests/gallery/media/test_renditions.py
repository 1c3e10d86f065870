"""Renditions: whatever kind of picture an artist has, upright, in sRGB, at its sizes, in little memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artgen.errors import ArtgenError
from artgen.gallery.media.renditions import (
    MAX_ENCODED_SIDE_PX,
    RenditionSet,
    RenditionSettings,
    read_date_taken,
    write_renditions,
)
from artgen.gallery.media.source_picture import decoding_error
from artgen.gallery.media.xmp import EmbeddedMetadata, build_xmp_packet
from artgen.imaging.io.libvips import load_vips

XMP = build_xmp_packet(EmbeddedMetadata(title="A title", alt="What is seen"))
SIZES = RenditionSettings(widths=(100, 200, 400))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site" / "images").mkdir(parents=True)
    return tmp_path / "site"


def halves(width: int = 400, height: int = 300, mode: str = "RGB") -> Image.Image:
    """Red above, blue below."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, :, 0] = pixels[height // 2 :, :, 2] = 255
    return Image.fromarray(pixels).convert(mode)


def rendered(
    image: Image.Image, site: Path, ending: str, **settings: object
) -> tuple[RenditionSet, np.ndarray]:
    file = site.parent / f"source.{ending}"
    image.save(file, **settings)
    picture = write_renditions(file, site, "work", SIZES, XMP)
    with Image.open(site / picture.source) as shown:
        return picture, np.asarray(shown.convert("RGB")).astype(int)


def test_sizes_formats_and_the_mean_colour(site: Path) -> None:
    picture, shown = rendered(halves(), site, "png")
    assert (picture.width, picture.height, picture.pixelated) == (400, 300, False)
    assert picture.files == {
        ending: tuple((f"images/work_{width}.{ending}", width) for width in (100, 200, 400))
        for ending in ("avif", "jpg")
    }
    assert picture.source == "images/work_200.jpg"
    assert shown.shape == (150, 200, 3)
    assert [int(picture.colour[at : at + 2], 16) for at in (1, 3, 5)] == pytest.approx([128, 0, 128], abs=3)
    for name in picture.list_files():
        with Image.open(site / name) as file:
            assert file.width == int(Path(name).stem.rpartition("_")[2])
            assert b"A title" in file.info["xmp"]


def test_nothing_is_enlarged_and_near_sizes_are_left_out(site: Path) -> None:
    picture, _ = rendered(halves(210, 140), site, "png")
    assert [width for _, width in picture.files["jpg"]] == [100, 210]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(site: Path, orientation: int) -> None:
    upright = halves(240, 320)
    turned = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }[orientation]
    for turn in turned:
        upright = upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture, shown = rendered(upright, site, "jpg", exif=exif, quality=95)
    assert (picture.width, picture.height) == (240, 320)
    assert shown[10, 50, 0] > 240
    assert shown[-10, 50, 2] > 240


def test_a_profile_is_followed(site: Path) -> None:
    """The same red has other numbers in a space of other primaries."""
    pyvips = load_vips()
    halves().save(site.parent / "srgb.png")
    image = pyvips.Image.new_from_file(str(site.parent / "srgb.png")).icc_transform(
        "p3", input_profile="srgb"
    )
    image.pngsave(str(site.parent / "source.png"))
    assert image(50, 10)[0] < 240
    picture = write_renditions(site.parent / "source.png", site, "work", SIZES, XMP)
    with Image.open(site / picture.source) as shown:
        assert np.abs(np.asarray(shown).astype(int)[10, 50] - [255, 0, 0]).max() < 12
        assert "icc_profile" not in shown.info


@pytest.mark.parametrize("mode", ["I;16", "L", "LA", "RGBA", "P", "1"])
def test_grey_16_bit_alpha_and_palettes(site: Path, mode: str) -> None:
    if mode == "I;16":
        values = np.linspace(0, 65535, 400).astype(np.uint16)
        image = Image.fromarray(np.tile(values, (300, 1)))
        _, shown = rendered(image, site, "png")
        assert shown[50, 2].max() < 8
        assert shown[50, -3].min() > 247
        assert shown[50, 100] == pytest.approx(128, abs=4)
        return
    image = (
        halves().convert("L" if mode == "LA" else mode) if mode != "LA" else halves(mode="L").convert("LA")
    )
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.fromarray(np.tile(np.uint8([0] * 200 + [255] * 200), (300, 1))))
    _, shown = rendered(image, site, "png")
    if mode in ("LA", "RGBA"):  # laid on white
        assert shown[10, 20].min() > 245
    assert shown[10, 180, 0] > 60


def test_cmyk(site: Path) -> None:
    _, shown = rendered(halves(mode="CMYK"), site, "jpg", quality=95)
    assert shown[10, 50, 0] > 150 > 100 > shown[10, 50, 2]


@pytest.mark.parametrize("ending", ["webp", "avif", "tif"])
def test_other_files(site: Path, ending: str) -> None:
    _, shown = rendered(halves(), site, ending)
    assert shown[10, 50, 0] > 225
    assert shown[10, 50, 2] < 30


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 900), (900, 1), (129, 2)])
def test_thin_pictures(site: Path, width: int, height: int) -> None:
    picture, _ = rendered(halves(width, height), site, "png")
    assert (picture.width, picture.height) == (width, height)
    for name in picture.list_files():
        with Image.open(site / name) as file:
            file.load()


@pytest.mark.parametrize(("width", "height"), [(20, 20_000), (20_000, 20), (1, 20_000), (20, 60_000)])
def test_what_is_longer_than_its_formats_allow_is_shrunk(site: Path, width: int, height: int) -> None:
    Image.linear_gradient("L").resize((width, height)).save(site.parent / "source.png")
    sizes = RenditionSettings((10, 40_000), ("avif", "webp", "jpg"))
    picture = write_renditions(site.parent / "source.png", site, "work", sizes, XMP)
    assert (picture.width, picture.height) == (width, height)
    for listed in picture.files.values():
        for name, wide in listed:
            with Image.open(site / name) as file:
                file.load()
                assert file.width == wide
                assert max(file.size) <= MAX_ENCODED_SIDE_PX
        assert max(file.size) > 0.75 * MAX_ENCODED_SIDE_PX


def test_too_large_is_not_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(load_vips().Error) as caught:
        load_vips().Image.black(20_000, 20).heifsave(str(tmp_path / "b.avif"), compression="av1", effort=1)
    assert decoding_error(tmp_path / "a.png", str(caught.value)).problem.startswith("too large to be shown")


def test_a_thumbnail_keeps_its_pixels(site: Path) -> None:
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (32, 24, 3), np.uint8))
    picture, shown = rendered(image, site, "png")
    assert (picture.pixelated, picture.files, picture.source) == (True, {}, "images/work.png")
    assert (shown == np.asarray(image)).all()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"no picture at all, only words", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", "not a picture"),
    ],
)
def test_what_is_no_picture(site: Path, content: bytes, said: str) -> None:
    file = site.parent / "source.png"
    file.write_bytes(content)
    with pytest.raises(ArtgenError, match=said):
        write_renditions(file, site, "work", SIZES, XMP)
    file.unlink()
    with pytest.raises(ArtgenError, match="missing"):
        write_renditions(file, site, "work", SIZES, XMP)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "avif"])
def test_half_a_picture(site: Path, ending: str) -> None:
    file = site.parent / f"source.{ending}"
    noise = np.random.default_rng(2).integers(0, 256, (300, 400, 3), np.uint8)
    Image.fromarray(noise).save(file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ArtgenError, match=r"damaged"):
        write_renditions(file, site, "work", SIZES, XMP)


def test_a_picture_of_absurd_size_is_refused_before_it_is_decoded(site: Path) -> None:
    file = site.parent / "source.png"
    halves(8, 8).save(file)
    content = bytearray(file.read_bytes())
    content[16:20] = (70_000).to_bytes(4, "big")
    import zlib

    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    file.write_bytes(content)
    with pytest.raises(ArtgenError, match=r"70000 x 8 px|damaged"):
        write_renditions(file, site, "work", SIZES, XMP)


def test_the_time_of_a_photograph(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2019:05:04 10:11:12"
    halves().save(tmp_path / "dated.jpg", exif=exif)
    halves().save(tmp_path / "not.jpg")
    exif.get_ifd(0x8769)[0x9003] = "2019:  :     :  :  "
    halves().save(tmp_path / "year.jpg", exif=exif)
    said = [read_date_taken(tmp_path / f"{name}.jpg") for name in ("dated", "year", "not")]
    assert said == ["2019-05-04T10:11:12", "2019", ""]
