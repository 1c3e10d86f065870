"""What published files say about themselves, read back by other software than wrote it."""

from __future__ import annotations

import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image, IptcImagePlugin
from PIL.PngImagePlugin import PngInfo

from artgen.errors import ArtgenError
from artgen.gallery.media.exif_gps import remove_gps
from artgen.gallery.media.originals import published_ending, write_original
from artgen.gallery.media.renditions import RenditionSettings, write_renditions
from artgen.gallery.media.xmp import GENERATED_SOURCE_TYPE, EmbeddedMetadata, build_xmp_packet

HOSTILE = (
    "</rdf:li><script>alert(1)</script> \"'&amp; ]]> 100% #2 \u05e9\u05dc\u05d5\u05dd \U0001f33f \x00\x0b"
)
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DC = "{http://purl.org/dc/elements/1.1/}"
EXT = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
WORDS = EmbeddedMetadata(
    HOSTILE, f"alt {HOSTILE}", f"artist {HOSTILE}", f"rights {HOSTILE}", GENERATED_SOURCE_TYPE, "artgen"
)


def original(source: Path, words: EmbeddedMetadata = WORDS) -> Path:
    """What visitors are given of a picture."""
    copy = source.with_name(f"copy{published_ending(source)}")
    write_original(source, copy, build_xmp_packet(words))
    return copy


def xmp_of(image: Image.Image) -> bytes:
    return image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()


def said(xmp: bytes) -> dict[str, str]:
    text = xmp.decode()
    root = ElementTree.fromstring(text[text.index("<x:xmpmeta") : text.index("<?xpacket end")])
    (about,) = root.iter(f"{RDF}Description")
    return {child.tag: "".join(child.itertext()) for child in about}


def test_every_text_is_data() -> None:
    found = said(build_xmp_packet(WORDS))
    whole = HOSTILE.replace("\x00", "").replace("\x0b", "")
    assert found[f"{DC}title"] == whole
    assert found[f"{DC}description"] == f"alt {whole}"
    assert found[f"{DC}creator"] == f"artist {whole}"
    assert found[f"{DC}rights"] == f"rights {whole}"
    assert found[f"{EXT}DigitalSourceType"] == GENERATED_SOURCE_TYPE


def test_what_is_not_said_is_left_out() -> None:
    assert set(said(build_xmp_packet(EmbeddedMetadata(title="A")))) == {f"{DC}title"}


@pytest.mark.parametrize("ending", ["png", "jpg", "avif", "webp"])
def test_every_rendition_carries_the_words(tmp_path: Path, ending: str) -> None:
    (tmp_path / "images").mkdir()
    side = 64 if ending == "png" else 300
    Image.new("RGB", (side, side), "teal").save(tmp_path / "a.png")
    formats = ("jpg",) if ending == "png" else tuple(dict.fromkeys((ending, "jpg")))
    picture = write_renditions(
        tmp_path / "a.png", tmp_path, "a", RenditionSettings((200,), formats), build_xmp_packet(WORDS)
    )
    for name in picture.list_files():
        with Image.open(tmp_path / name) as image:
            assert said(xmp_of(image))[f"{DC}title"].startswith("</rdf:li><script>")


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tif", "avif"])
def test_an_original_keeps_every_pixel_and_gets_the_words(tmp_path: Path, ending: str) -> None:
    source, exif = tmp_path / f"a.{ending}", Image.Exif()
    exif[0x010E] = "described"
    image = Image.effect_noise((90, 70), 80).convert("RGB")
    image.save(source, exif=exif, **({"xmp": b"<old/>"} if ending in ("jpg", "webp", "avif") else {}))
    copy = original(source)
    with Image.open(source) as before, Image.open(copy) as after:
        assert before.tobytes() == after.tobytes()
        assert after.getexif()[0x010E] == "described"
        assert said(xmp_of(after))[f"{EXT}DigitalSourceType"] == GENERATED_SOURCE_TYPE
    assert b"<old/>" not in copy.read_bytes()
    source = copy.rename(tmp_path / f"b{copy.suffix}")
    again = original(source, EmbeddedMetadata(title="Other")).read_bytes()
    assert again.count(b"x:xmpmeta ") == 1
    assert b"Other" in again


@pytest.mark.parametrize("settings", [{"lossless": True}, {"lossless": False}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_webp_keeps_every_pixel_and_its_transparency(
    tmp_path: Path, settings: dict[str, bool], mode: str
) -> None:
    source, image = tmp_path / "a.webp", Image.effect_noise((91, 70), 80).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.effect_noise((91, 70), 80))
    image.save(source, **settings)
    with Image.open(source) as before, Image.open(original(source)) as after:
        assert (before.mode, before.size, before.tobytes()) == (after.mode, after.size, after.tobytes())
        assert said(after.info["xmp"])[f"{EXT}DigitalSourceType"] == GENERATED_SOURCE_TYPE


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "avif"])
def test_an_original_does_not_say_where_it_was_taken(tmp_path: Path, ending: str) -> None:
    source, exif = tmp_path / f"a.{ending}", Image.Exif()
    exif[0x010E], exif[0x0112] = "described", 6
    exif.get_ifd(0x8769)[0x9003] = "2019:05:04 10:11:12"
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[29] = "N", (52.0, 31.0, 12.34), "2019:05:04"
    Image.new("RGB", (60, 40), "teal").save(source, exif=exif)
    with Image.open(source) as before:
        assert before.getexif().get_ifd(0x8825)[1] == "N"
    with Image.open(original(source)) as after:
        after.load()
        assert after.getexif().get_ifd(0x8825) == {}
        assert after.getexif()[0x0112] == 6
        assert after.getexif().get_ifd(0x8769)[0x9003].startswith("2019:05:04")
    if ending == "avif":  # a longer packet than ours
        Image.new("RGB", (60, 40), "teal").save(source, exif=exif, xmp=b"<x>" + CITY * 999 + b"</x>")
        copy = original(source)
        assert CITY not in copy.read_bytes()
        with Image.open(copy) as after:
            assert said(xmp_of(after))[f"{EXT}DigitalSourceType"] == GENERATED_SOURCE_TYPE
    for broken in (b"", b"II", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"no Exif at all"):
        assert remove_gps(broken) == b""


CITY, KEPT, LATITUDE = b"Nowhere-on-Sea", b"A caption that stays", struct.pack("<II", 521_234_567, 10_000_001)


def blocks() -> bytes:
    """What Photoshop writes of a picture of a city: its records, Exif once more, and a path."""
    records = b"".join(
        b"\x1c" + bytes([2, kind]) + struct.pack(">H", len(text)) + text
        for kind, text in ((0, b"\0\4"), (90, CITY), (120, KEPT), (101, b"Far" + CITY))
    )
    content = {0x0404: records, 0x0422: b"Exif of " + CITY, 0x07D0: b"a path " + KEPT}
    return b"".join(
        b"8BIM" + struct.pack(">HH", kind, 0) + struct.pack(">I", len(data)) + data + bytes(len(data) & 1)
        for kind, data in content.items()
    )


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "II.tif", "MM.tif"])
def test_no_byte_of_an_original_says_where_it_was_taken(tmp_path: Path, name: str) -> None:
    source, ending = tmp_path / name, name.partition(".")[2]
    image = Image.effect_noise((60, 40), 80).convert("RGB")
    latitude = LATITUDE if name != "MM.tif" else struct.pack(">II", 521_234_567, 10_000_001)
    if ending == "jpg":
        image.save(source, xmp=b"<x>" + CITY + b"</x>")
        segment = b"Photoshop 3.0\0" + blocks()
        whole = source.read_bytes()
        broken = b"\xff\xed\0\x20Adobe_CM" + CITY.ljust(22, b"\0")
        whole = whole[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + broken + whole[2:]
        source.write_bytes(whole)
    elif ending == "png":
        words = PngInfo()
        for name in ("Raw profile type exif", "Raw profile type APP1", "raw profile type iptc"):
            words.add_text(name, f"\nexif\n  14\n{CITY.decode()}", zip=False)
        words.add_text("Comment", KEPT.decode())
        image.save(source, pnginfo=words)
    else:
        lay(source, image, {"II": "<", "MM": ">"}[source.stem], latitude)
    before = source.read_bytes()
    assert CITY in before
    copy = original(source)
    after = copy.read_bytes()
    assert CITY not in after
    assert latitude not in after
    assert KEPT in after
    with Image.open(source) as one, Image.open(copy) as other:
        assert one.tobytes() == other.tobytes()
        if ending == "jpg":
            assert other.info["photoshop"][0x07D0].endswith(KEPT)
            assert IptcImagePlugin.getiptcinfo(other) == {(2, 0): b"\0\4", (2, 120): KEPT}
        elif ending != "png":
            assert 0x8825 not in other.tag_v2
            assert KEPT in other.tag_v2[33723]
            assert other.tag_v2[34377].endswith(KEPT + bytes(len(KEPT) + 7 & 1))


def lay(file: Path, image: Image.Image, order: str, latitude: bytes) -> None:
    """Write a TIFF by hand: Pillow puts no values of GPS, nor records, where other software does."""
    records = blocks()[12 : 12 + int.from_bytes(blocks()[8:12], "big")]
    pixels = image.tobytes()
    values = {
        258: (3, 3, struct.pack(f"{order}3H", 8, 8, 8)),
        273: (4, 1, pixels),
        700: (1, 0, b"<x>" + CITY + b"</x>"),
        33723: (7, 0, records),
        34377: (1, 0, blocks()),
        0x8825: (4, 1, b""),
    }
    plain = {256: image.width, 257: image.height, 259: 1, 262: 2, 277: 3, 278: image.height, 279: len(pixels)}
    content = bytearray(8)
    entries = {tag: struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in plain.items()}
    for tag, (kind, count, data) in values.items():
        at = len(content)
        if tag == 0x8825:
            content += latitude * 3
            data = struct.pack(f"{order}HHHII", 1, 2, 5, 3, at) + bytes(4)
            at = len(content)
        entries[tag] = struct.pack(f"{order}HHII", tag, kind, count or len(data), at)
        content += data + bytes(len(data) & 1)
    content[:8] = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", len(content))
    content += struct.pack(f"{order}H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries))
    file.write_bytes(bytes(content) + bytes(4))


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_file_that_ends_too_early_is_no_original(tmp_path: Path, ending: str) -> None:
    source = tmp_path / f"a.{ending}"
    Image.effect_noise((90, 70), 80).save(source)
    source.write_bytes(source.read_bytes()[: 60 if ending == "png" else 15])
    with pytest.raises(ArtgenError, match=r"damaged \(a (PNG|JPEG) "):
        original(source)
