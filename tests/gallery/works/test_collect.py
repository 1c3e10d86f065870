"""Which works are published, under which addresses, in which order."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from artgen.errors import ArtgenError, ValidationErrors
from artgen.events import Note
from artgen.gallery.works import slugs
from artgen.gallery.works.collect import collect_artworks
from artgen.gallery.works.settings import SiteSettings
from artgen.gallery.works.work import ArtworkCollection
from artgen.runs.store import DecisionChange, Run

SHAPES = ((64, 64),) * 4


def collected(*places: Path, all_candidates: bool = False, **settings: object) -> ArtworkCollection:
    with ExitStack() as stack:
        sources = [
            stack.enter_context(Run.open(place)) if (place / "recipe.toml").is_file() else place
            for place in places
        ]
        return collect_artworks(sources, SiteSettings(**settings), all_candidates=all_candidates)


def pictures(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".mp4"):
            (folder / name).write_bytes(b"film")
        else:
            Image.new("RGB", (8, 8)).save(folder / name, "PNG")
    return folder


def slugs_of(collection: ArtworkCollection) -> list[str]:
    return [work.slug for work in collection.works]


def test_picks_in_the_order_of_picking(finished_run: Callable[..., Path]) -> None:
    folder = finished_run(shapes=SHAPES, picks=(3, 1, 4))
    with Run.open(folder) as run:
        run.pick(3, False)
        run.pick(3, True)
        words = [DecisionChange(4, "title", "Night"), DecisionChange(4, "alt", "A dark sea")]
        run.decisions.decide(words, author="a", view="sheet")
    found = collected(folder)
    assert [work.candidate and work.candidate.index for work in found.works] == [1, 4, 3]
    night, other = found.works[1], found.works[0]
    assert (night.title, night.alt, night.number) == ("Night", "A dark sea", "No. 4")
    assert (other.title, other.alt) == ("Abstracts, no. 1", "After a coffee thumbnail, candidate 1")
    assert datetime.fromisoformat(night.picked_at) >= datetime.fromisoformat(other.picked_at)
    assert [stage.name for stage in night.stages] == ["Mixture of crops", "Style transfer", "Film grain"]
    assert slugs_of(found)[0] == "abstracts-1a2b3c4d-0001"
    assert [work.candidate and work.candidate.index for work in collected(folder, order="number").works] == [
        1,
        3,
        4,
    ]
    assert [work.candidate and work.candidate.index for work in collected(folder, order="newest").works] == [
        4,
        3,
        1,
    ]
    assert found.series[0].drawn == 4


def test_the_words_and_the_order_of_series(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    run = finished_run(shapes=SHAPES, picks=(1,))
    photos = pictures(tmp_path / "summer_rain", "2.png", "10.png", "a b.PNG", ".hidden.png", "notes.txt.png")
    for day, name in enumerate(["2.png", "10.png", "a b.PNG", "notes.txt.png"]):
        os.utime(photos / name, (86_400 * day, 86_400 * day))
    said = [
        {"run": "summer_rain", "title": "Rain", "statement": "Wet.", "order": "newest"},
        {"run": "abstracts"},
    ]
    found = collected(run, photos, series=said)
    assert [(each.title, each.statement) for each in found.series] == [
        ("Rain", "Wet."),
        ("Abstracts", "Thumbnails, re-imagined."),
    ]
    assert [work.title for work in found.works] == ["Notes.txt", "A b", "10", "2", "Abstracts, no. 1"]
    assert [work.series for work in found.works] == [0, 0, 0, 0, 1]


def test_a_folder_in_a_folder_is_a_series_of_its_own(tmp_path: Path) -> None:
    photos = pictures(tmp_path / "photos", "1.png", "winter/1.png", "winter/walk.mp4", "winter/walk.png")
    found = collected(photos)
    assert [each.title for each in found.series] == ["Photos", "Winter"]
    walk = found.works[-1]
    assert walk.film == photos / "winter" / "walk.mp4"
    assert walk.source == photos / "winter" / "walk.png"
    assert len(found.works) == 3
    assert slugs_of(found) == ["1", "winter-1", "winter-walk"]
    pictures(photos, "winter/more/1.png", "spring/walk.png", "walk.png")
    addresses = slugs_of(collected(photos))
    assert addresses == ["1", "walk", "spring-walk", "winter-1", "winter-walk", "winter-more-1"]


def test_pictures_of_kinds_that_are_not_shown_are_counted(tmp_path: Path) -> None:
    names = (
        "1.png",
        "a.svg",
        "winter/b.SVG",
        "c.mov",
        "notes.txt",
        "c.xmp",
        ".d.svg",
        ".hidden/e.svg",
        "site/f.svg",
    )
    photos = pictures(tmp_path / "photos", *names)
    said: list[object] = []
    found = collect_artworks(
        [photos, photos / "1.png"], SiteSettings(), excluded_folder=photos / "site", emit=said.append
    )
    assert len(found.works) == 2
    assert said == [Note("4 files left out: .svg (2), .mov (1), no pictures (1)")]


def test_hostile_names(tmp_path: Path) -> None:
    names = [
        "a<b>&'\".png",
        "100% #2.png",
        "_..x.png",
        "עברית.png",
        "con.png",
        "ÉTÉ.png",
        "été.png",
    ]
    names += ["x" * 200 + ".png", "a\nb.png"]
    found = collected(pictures(tmp_path / "p", *names))
    assert len(set(slugs_of(found))) == len(names)
    for slug in slugs_of(found):
        assert slug.isascii()
        assert slug.replace("-", "").isalnum()
        assert slug not in slugs.WINDOWS_DEVICE_NAMES
        assert len(slug) < 120
    assert "a<b>&'\"" in {work.title.lower() for work in found.works}


def test_the_very_same_twice() -> None:
    assert len(set(slugs.unique_slugs([("a", "x"), ("a", "x"), ("a", "x")]))) == 3


def test_nothing_to_publish(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    run, empty = finished_run(shapes=SHAPES), finished_run("empty-00000000", ())
    with pytest.raises(ArtgenError, match=r"none of its 4 candidates is picked.*artgen curate.*artgen pick"):
        collected(run)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ValidationErrors) as caught:
        collected(run, empty, tmp_path / "nothing", tmp_path / "gone")
    said = str(caught.value)
    for words in ("is picked", "has no candidates yet", "holds no pictures", "no such folder"):
        assert words in said
    assert len(collected(run, all_candidates=True).works) == 4


def test_the_film_of_a_walk_is_a_piece(finished_run: Callable[..., Path]) -> None:
    folder = finished_run(shapes=SHAPES)
    (folder / "film.mp4").write_bytes(b"film")
    (work,) = collected(folder).works
    assert (work.title, work.film, work.source.name) == ("Abstracts, film", folder / "film.mp4", "0003.png")
    assert not work.film_loops


@pytest.mark.parametrize(("walk", "loops"), [(4, True), (2, True), (3, False), (240, False)])
def test_the_film_of_whole_rounds_of_a_walk_loops(
    finished_run: Callable[..., Path], walk: int, loops: bool
) -> None:
    folder = finished_run(shapes=SHAPES)
    (folder / "film.mp4").write_bytes(b"film")
    recipe = folder / "recipe.toml"
    recipe.write_text(recipe.read_text("utf-8").replace("[source]", f"[source]\nwalk = {walk}"), "utf-8")
    (work,) = collected(folder).works
    assert work.film_loops is loops


def test_newest_first_is_by_date(tmp_path: Path) -> None:
    taken = {
        "a-old": ("1850:05:05 12:00:00", ""),
        "b-noon": ("2024:06:15 12:30:00", ""),
        "c-late-in-samoa": ("2024:06:15 23:30:00", "-11:00"),  # the next morning in UTC
        "d-morning-after": ("2024:06:16 09:00:00", "+00:00"),
        "e-future": ("2050:12:31 23:59:59", ""),
    }
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name, (date, offset) in taken.items():
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif).update({36867: date} | ({36881: offset} if offset else {}))
        Image.new("RGB", (40, 30)).save(folder / f"{name}.jpg", exif=exif)
    Image.new("RGB", (40, 30)).save(folder / "f-undated.png")
    os.utime(folder / "f-undated.png", (1_000_000_000, 1_000_000_000))  # 2001
    works = collected(folder, order="newest").works
    assert [work.source.stem for work in works] == [
        *("e-future", "c-late-in-samoa", "d-morning-after", "b-noon", "f-undated", "a-old"),
    ]
