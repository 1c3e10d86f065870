"""Published films do not say where they were taken, whoever wrote it in which way; FFmpeg reads them back."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from artgen.gallery.media.films import copy_film
from artgen.gallery.media.originals import write_original
from artgen.gallery.media.xmp import EmbeddedMetadata, build_xmp_packet

PLACE = "+52.5200+013.4050/"
TAGS = {"movflags": "use_metadata_tags"}
APPLES = "com.apple.quicktime.location.ISO6709"


def walk(file: Path, kind: str, settings: dict[str, str], name: str) -> Path:
    """A film of three pictures that says where it was taken."""
    import av

    with av.open(str(file), "w", format=kind, options=settings) as film:
        film.metadata.update({name: PLACE, "title": "A walk"})
        stream = film.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for shade in (0, 80, 160):
            frame = av.VideoFrame.from_image(Image.new("RGB", (160, 96), (shade, 90, 120)))
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    return file


def read(file: Path) -> tuple[dict[str, str], list[Any]]:
    """Words and pictures."""
    import av

    with av.open(str(file)) as film:
        return dict(film.metadata), [frame.to_ndarray().tolist() for frame in film.decode(video=0)]


@pytest.mark.parametrize("write", [copy_film, write_original], ids=["a work", "beside about.md"])
@pytest.mark.parametrize(
    ("kind", "settings", "name"),
    [
        pytest.param("mp4", {}, "location", id="3GPP's way"),
        pytest.param("mov", {}, "location", id="QuickTime's way, which phones took over"),
        pytest.param("mov", TAGS, APPLES, id="Apple's way"),
        pytest.param("mp4", {"movflags": "use_metadata_tags+faststart"}, APPLES, id="Apple's, header first"),
    ],
)
def test_a_film_does_not_say_where_it_was_taken(
    tmp_path: Path, kind: str, settings: dict[str, str], name: str, write: Any
) -> None:
    source, copy = walk(tmp_path / "a.mp4", kind, settings, name), tmp_path / "copy.mp4"
    words, pictures = read(source)
    assert words[name] == PLACE
    write(source, copy, build_xmp_packet(EmbeddedMetadata(title="Nocturne")))
    said, shown = read(copy)
    assert not any(said.get(key) for key in words if "location" in key)
    assert (said["title"], shown) == ("A walk", pictures)
    assert PLACE.encode() not in copy.read_bytes()
    write(copy, tmp_path / "again.mp4", build_xmp_packet(EmbeddedMetadata(title="Dusk")))
    again = (tmp_path / "again.mp4").read_bytes()
    assert (again.count(b"x:xmpmeta "), b"Dusk" in again, b"Nocturne" in again) == (1, True, False)


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


@pytest.mark.parametrize("write", [copy_film, write_original], ids=["a work", "beside about.md"])
def test_nor_do_notes_of_cameras(tmp_path: Path, write: Any) -> None:
    source, copy = walk(tmp_path / "a.mp4", "mov", {}, "comment"), tmp_path / "copy.mp4"
    whole = source.read_bytes().replace(b"ftyp", b"wide", 1)  # as films of old QuickTime begin
    begin = whole.rindex(b"moov") - 4
    assert begin + int.from_bytes(whole[begin : begin + 4], "big") == len(whole)
    notes = box(b"udta", box(b"NCDT", box(b"NCTG", PLACE.encode())) + box(b"XMP_", PLACE.encode()))
    moov = box(b"moov", whole[begin + 8 :] + box(b"trak", notes))
    shot = box(b"meta", bytes(4) + box(b"hdlr", bytes(25)) + box(b"xml ", bytes(4) + PLACE.encode()))
    source.write_bytes(whole[:begin] + shot + moov)
    write(source, copy, build_xmp_packet(EmbeddedMetadata(title="Nocturne")))
    assert source.read_bytes().count(PLACE.encode()) == whole.count(PLACE.encode()) + 3
    (words, pictures), (said, shown) = read(source), read(copy)
    assert (said["title"], said["comment"], shown) == (words["title"], words["comment"], pictures)
    assert copy.read_bytes().count(PLACE.encode()) == 1  # in the comment: the artist's


def camera(file: Path) -> Path:
    """A film held upright, of wide colours, that tells of its camera, and its way in tracks of their own."""
    import av
    from av.video.reformatter import Colorspace

    words = file.with_suffix(".srt")
    words.write_text(f"1\n00:00:00,000 --> 00:00:01,000\n{PLACE}\n")
    cover = io.BytesIO()
    Image.new("RGB", (16, 16)).save(cover, "JPEG", comment=PLACE)
    with av.open(str(file), "w") as film, av.open(str(words)) as subtitles:
        film.metadata.update({"title": "A walk", "encoder": "SN 1234567", "make": "SN 1234567"})
        stream = film.add_stream("libx264", rate=Fraction(30_000, 1001))
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.metadata.update({"handler_name": "SN 1234567", "language": "nld"})
        stream.codec_context.colorspace = Colorspace.ITU709
        stream.codec_context.color_primaries, stream.codec_context.color_trc = 12, 1
        others = []
        if file.suffix == ".mp4":
            others.append((film.add_data_stream("bin_data"), PLACE.encode()))
            picture = film.add_stream("mjpeg")
            picture.width, picture.height, picture.pix_fmt = 16, 16, "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
            others.append((picture, cover.getvalue()))
        else:
            others.append((film.add_stream_from_template(subtitles.streams[0]), PLACE.encode()))
        for shade in (0, 80, 160):
            film.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (160, 96), (shade, 90, 120)))))
        film.mux(stream.encode())
        for other, content in others:
            track = av.Packet(content)
            track.stream, track.time_base, track.pts, track.dts, track.duration = other, Fraction(1), 0, 0, 1
            film.mux(track)
    whole = file.read_bytes()
    if file.suffix == ".mp4":
        at = whole.index(b"tkhd") + 44
        quarter = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 96 << 16, 0, 1 << 30)
        whole = whole[:at] + quarter + whole[at + 36 :]
        file.write_bytes(whole)
    assert PLACE.encode() in whole
    assert b"SN 1234567" in whole
    return file


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_nor_do_tracks_of_cameras_and_the_picture_stays_as_it_is(tmp_path: Path, ending: str) -> None:
    import av

    source, copy = camera(tmp_path / f"a.{ending}"), tmp_path / f"copy.{ending}"
    write_original(source, copy, build_xmp_packet(EmbeddedMetadata(title="Nocturne")))
    assert PLACE.encode() not in copy.read_bytes()
    assert b"SN 1234567" not in copy.read_bytes()
    with av.open(str(source)) as before, av.open(str(copy)) as after:
        assert [len(film.streams) for film in (before, after)] == [2 + (ending == "mp4"), 1]
        one, other = before.streams.video[0], after.streams.video[0]
        for name in ("colorspace", "color_primaries", "color_trc", "color_range", "codec_tag", "extradata"):
            assert getattr(other.codec_context, name) == getattr(one.codec_context, name)
        assert (other.average_rate, other.time_base) == (one.average_rate, one.time_base)
        assert (other.metadata["language"], after.metadata.get("title")) == ("nld", "A walk")
        packets = [
            [(bytes(each), each.pts, each.dts) for each in film.demux(film.streams.video[0])]
            for film in (before, after)
        ]
        assert packets[0] == packets[1]
    with av.open(str(source)) as before, av.open(str(copy)) as after:
        turned = [next(film.decode(video=0)).rotation for film in (before, after)]
    assert turned == [-90 if ending == "mp4" else 0] * 2


@pytest.mark.parametrize("name", ["hvc1", "av01"])
def test_films_that_phones_make_stay_such_that_browsers_play_them(tmp_path: Path, name: str) -> None:
    import av

    source, copy = tmp_path / "a.mp4", tmp_path / "copy.mp4"
    with av.open(str(source), "w") as film:
        stream = film.add_stream("libx265" if name == "hvc1" else "libsvtav1", rate=5)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.codec_context.codec_tag = name
        for shade in (0, 80, 160):
            film.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (160, 96), (shade, 90, 120)))))
        film.mux(stream.encode())
    copy_film(source, copy, build_xmp_packet(EmbeddedMetadata(title="Nocturne")))
    with av.open(str(copy)) as film:
        assert film.streams.video[0].codec_context.codec_tag == name
    assert read(copy)[1] == read(source)[1]


def test_without_pyav_a_film_is_named_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "plates").mkdir()
    walk(tmp_path / "plates" / "walk.mp4", "mp4", {}, "comment")
    Image.new("RGB", (160, 96)).save(tmp_path / "plates" / "walk.png")
    Image.new("RGB", (160, 96)).save(tmp_path / "plates" / "sea.png")
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "av.py").write_text("raise ImportError")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path / "none"), *sys.path])}
    command = [sys.executable, "-m", "artgen", "publish", "plates"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert (
        "plates/walk.mp4: PyAV is not installed (try: pip install 'artgen[video]')"
        in done.stderr + done.stdout
    )
    assert [page.name for page in (tmp_path / "gallery" / "pieces").iterdir()] == ["sea.html"]
