"""Published films do not say where they were taken, whoever wrote it in which way; FFmpeg reads them back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from artgen.gallery.media.films import write_film
from artgen.gallery.media.originals import write_original
from artgen.gallery.media.xmp import Words, packet

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


@pytest.mark.parametrize("write", [write_film, write_original], ids=["a work", "beside about.md"])
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
    write(source, copy, packet(Words(title="Nocturne")))
    said, shown = read(copy)
    assert not any(said.get(key) for key in words if "location" in key)
    assert (said["title"], shown) == ("A walk", pictures)
    assert PLACE.encode() not in copy.read_bytes()
    write(copy, tmp_path / "again.mp4", packet(Words(title="Dusk")))
    again = (tmp_path / "again.mp4").read_bytes()
    assert (again.count(b"x:xmpmeta "), b"Dusk" in again, b"Nocturne" in again) == (1, True, False)


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


@pytest.mark.parametrize("write", [write_film, write_original], ids=["a work", "beside about.md"])
def test_nor_do_notes_of_cameras(tmp_path: Path, write: Any) -> None:
    source, copy = walk(tmp_path / "a.mp4", "mov", {}, "comment"), tmp_path / "copy.mp4"
    whole = source.read_bytes().replace(b"ftyp", b"wide", 1)  # as films of old QuickTime begin
    begin = whole.rindex(b"moov") - 4
    assert begin + int.from_bytes(whole[begin : begin + 4], "big") == len(whole)
    notes = box(b"udta", box(b"NCDT", box(b"NCTG", PLACE.encode())) + box(b"XMP_", PLACE.encode()))
    moov = box(b"moov", whole[begin + 8 :] + box(b"trak", notes))
    shot = box(b"meta", bytes(4) + box(b"hdlr", bytes(25)) + box(b"xml ", bytes(4) + PLACE.encode()))
    source.write_bytes(whole[:begin] + shot + moov)
    write(source, copy, packet(Words(title="Nocturne")))
    assert source.read_bytes().count(PLACE.encode()) == whole.count(PLACE.encode()) + 3
    assert read(copy) == read(source)
    assert copy.read_bytes().count(PLACE.encode()) == whole.count(PLACE.encode())  # in comments: the artist's
