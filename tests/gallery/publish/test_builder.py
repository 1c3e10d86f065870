"""What publishing leaves in a folder: files of works, originals that can be made again, films, tiles."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from artgen.errors import ArtgenError, ValidationErrors
from artgen.events import ignore_event
from artgen.gallery.media.render import MEDIA_FOLDERS, RenderedArtwork, RenderTask, format_file_size
from artgen.gallery.media.renditions import RenditionSettings
from artgen.gallery.media.xmp import EmbeddedMetadata
from artgen.gallery.media.zoom import MAX_UNTILED_SIDE_PX
from artgen.gallery.publish.builder import PublishRequest, PublishSummary, publish_site
from artgen.gallery.publish.pool import render_artworks
from artgen.gallery.works.settings import SiteSettings
from artgen.runs import provenance
from artgen.runs.store import Run

SHAPES = ((96, 96), (1200, 800), (96, 144), (96, 96))
NAME = "abstracts-1a2b3c4d"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def built(
    target: Path, *places: Path, everything: bool = False, force: bool = False, **said: Any
) -> PublishSummary:
    with ExitStack() as stack:
        sources = [
            stack.enter_context(Run.open(place)) if (place / "run.db").is_file() else place
            for place in places
        ]
        settings = SiteSettings(**{"formats": ("jpg",)} | said)
        wanted = PublishRequest(sources, target, settings, everything=everything, force=force, workers=1)
        return publish_site(wanted)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_files_of_a_run(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    run = finished_run(shapes=SHAPES, picks=(1, 2, 3))
    site = tmp_path / "gallery"
    summary = built(site, run, formats=("avif", "jpg"))
    assert names(site / "pieces") == [f"{NAME}-000{number}.html" for number in (1, 2, 3)]
    assert [page.name for page in summary.pieces] == names(site / "pieces")
    assert (summary.series, summary.problems, summary.index) == (1, (), site / "index.html")
    for kind in ("jpg", "avif"):
        shown = sorted((site / "images").glob(f"{NAME}-0002_[0-9]*.{kind}"))
        assert [file.stem.rpartition("_")[2] for file in shown] == ["1200", "480"]
        with Image.open(shown[1]) as image:
            assert image.size == (480, 320)
            assert b"trainedAlgorithmicMedia" in image.info["xmp"]
    stages = sorted(path.name for path in (site / "images").glob(f"{NAME}-0002_stage*"))
    # The last stage is the work itself.
    assert stages == [
        *(f"{NAME}-0002_stage-1.png", f"{NAME}-0002_stage-2_1024.avif", f"{NAME}-0002_stage-2_1024.jpg")
    ]
    with Image.open(site / "images" / f"{NAME}-0001_card.jpg") as card:
        assert min(card.size) > 600
    noted = json.loads((site / ".artgen-gallery.json").read_text())
    assert not any(str(tmp_path) in text for text in (json.dumps(noted), *(noted["files"])))


def test_the_size_of_a_file_in_words() -> None:
    sizes = (1, 48_000, 999_999, 1_000_000, 12_345_678)
    assert [format_file_size(size) for size in sizes] == ["1 kB", "48 kB", "999 kB", "1.0 MB", "12.3 MB"]


def test_originals_can_be_kept_back(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    run = finished_run(shapes=SHAPES, picks=(1, 2))
    built(tmp_path / "gallery", run)
    assert len(names(tmp_path / "gallery" / "originals")) == 2
    built(tmp_path / "gallery", run, originals=False)
    assert not (tmp_path / "gallery" / "originals").exists()


def test_a_downloaded_original_is_made_again(sampled: Path, tmp_path: Path) -> None:
    from artgen.generation.reproduce import reproduce_picture

    (run,) = (sampled / "runs").glob("tiny-*")
    with Run.open(run) as opened:
        opened.pick(2, True)
        candidate = opened.candidate(2)
        publish_site(PublishRequest((opened,), tmp_path / "gallery", SiteSettings(artist="Ada"), workers=1))
    (original,) = (tmp_path / "gallery" / "originals").iterdir()
    assert provenance.read_provenance(original) == provenance.read_provenance(candidate.file)
    content = original.read_bytes()
    assert b"Ada" in content
    assert content.count(b"XML:com.adobe.xmp") == 1
    assert b"trainedAlgorithmicMedia" in content
    assert reproduce_picture(original, ignore_event, recipe_folder=sampled).identical


def test_several_runs_of_one_name(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    hostile = "</title><script>alert(1)</script> \"'&amp; 100% #2 é עברית"
    one = finished_run("hos'tile 1#%41é", SHAPES[:2], (1, 2), hostile, "<img src=x onerror=alert(2)>")
    two = finished_run("hos-tile-1-41e", SHAPES[:2], (2,), hostile)
    target = tmp_path / "my gallery #1 é"
    summary = built(target, one, two)
    pages = [page.name for page in summary.pieces]
    assert pages[0] == "hos-tile-1-41e-0001.html"
    assert len(set(pages)) == 3
    assert all(name.startswith("hos-tile-1-41e-0002-") for name in pages[1:])
    assert [page.name for page in built(target, two, one).pieces] == [pages[2], *pages[:2]]
    assert len(names(target / "series")) >= 2


def test_no_picks(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    folder, empty = finished_run(shapes=SHAPES), finished_run("empty-00000000", ())
    with pytest.raises(ArtgenError, match=r"none of its 4 candidates is picked.*artgen curate.*artgen pick"):
        built(tmp_path / "gallery", folder)
    with pytest.raises(ValidationErrors, match="has no candidates yet"):
        built(tmp_path / "gallery", folder, empty)
    assert not (tmp_path / "gallery").exists()
    assert len(built(tmp_path / "gallery", folder, everything=True).pieces) == 4


def test_a_damaged_candidate_is_left_out(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    run = finished_run(shapes=SHAPES, picks=(1, 2))
    picture = run / "candidates" / "0002.png"
    picture.write_bytes(picture.read_bytes()[:5000])
    summary = built(tmp_path / "gallery", run)
    assert "0002.png: damaged" in str(summary.problems[0])
    picture.unlink()
    summary = built(tmp_path / "gallery", run)
    assert "0002.png: missing" in str(summary.problems[0])
    assert [page.stem[-4:] for page in summary.pieces] == ["0001"]


def test_a_piece_hangs_without_a_stage_that_is_lost(
    finished_run: Callable[..., Path], tmp_path: Path
) -> None:
    run = finished_run(shapes=SHAPES, picks=(2,))
    with Run.open(run) as opened:
        first, second, _ = (stage.preview for stage in opened.candidate(2).stages)
    first.unlink()
    second.write_bytes(second.read_bytes()[:200])
    site = tmp_path / "gallery"
    summary = built(site, run)
    assert (summary.problems, len(summary.pieces)) == ((), 1)
    page = summary.pieces[0].read_text("utf-8")
    assert "How it was made" in page
    assert "stage-" not in page
    assert not list((site / "images").glob("*stage*"))
    again = built(site, run)
    assert (again.made, again.touched) == ((), False)


def test_a_site_does_not_swallow_its_runs(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    folder = finished_run(shapes=SHAPES, picks=(1,))
    for target in (folder, folder.parent, tmp_path):
        with pytest.raises(ArtgenError, match="holds the run"):
            built(target, folder, force=True)
    assert (folder / "candidates" / "0001.png").is_file()


def test_a_lost_recipe_still_publishes(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    folder = finished_run(shapes=SHAPES, picks=(1,))
    (folder / "recipe.toml").write_text("not = = toml")
    summary = built(tmp_path / "gallery", folder)
    assert ", no. 1" in summary.pieces[0].read_text("utf-8")


def test_a_large_picture_has_tiles(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.effect_noise((MAX_UNTILED_SIDE_PX + 8, 40), 50).save(tmp_path / "photos" / "wide.png")
    built(tmp_path / "gallery", tmp_path / "photos")
    assert (tmp_path / "gallery" / "zoom" / "wide_files" / "13" / "0_0.jpg").is_file()
    assert list((tmp_path / "gallery" / "assets" / "openseadragon").iterdir())


def film(path: Path, width: int = 64, height: int = 48) -> Path:
    import torch

    from artgen.imaging.film.writer import VideoWriter

    with VideoWriter(path, width, height, 10) as writer:
        for number in range(5):
            writer.add_frame(torch.full((3, height, width), number / 10))
    return path


def test_a_film(tmp_path: Path) -> None:
    import av

    (tmp_path / "films").mkdir()
    source = film(tmp_path / "films" / "walk.mp4")
    summary = built(tmp_path / "gallery", tmp_path / "films", rights="© Ada")
    assert summary.problems == ()
    copy = tmp_path / "gallery" / "films" / "walk.mp4"
    assert "© Ada".encode() in copy.read_bytes()
    with av.open(str(source)) as before, av.open(str(copy)) as after:
        coded = [bytes(packet) for packet in before.demux(video=0)]
        assert [bytes(packet) for packet in after.demux(video=0)] == coded
    with av.open(str(copy)) as read:
        assert len(list(read.decode(video=0))) == 5
    page = summary.pieces[0].read_text("utf-8")
    assert re.search('<video[^>]* width="64" height="48"', page)


def test_a_film_whose_title_is_in_other_letters(tmp_path: Path) -> None:
    import av

    (tmp_path / "films").mkdir()
    source = film(tmp_path / "films" / "cafe.mp4")
    other = tmp_path / "films" / "latin.mp4"
    with (
        av.open(str(source)) as read,
        av.open(str(other), "w", metadata_encoding="latin-1") as write,
    ):
        write.metadata["title"] = "café"
        stream = write.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                write.mux(packet)
    assert b"caf\xe9" in other.read_bytes()
    summary = built(tmp_path / "gallery", tmp_path / "films")
    assert (summary.made, summary.problems) == (("cafe", "latin"), ())


def test_whatever_else_a_work_fails_by_takes_no_other_with_it(tmp_path: Path) -> None:
    Image.new("RGB", (200, 150)).save(tmp_path / "a.png")
    for name in MEDIA_FOLDERS:
        (tmp_path / name).mkdir()
    words, sizes = EmbeddedMetadata("A"), RenditionSettings((100,), ("jpg",))
    none = RenditionSettings((), ("jpg",))  # no width at all: an IndexError
    tasks = [
        RenderTask("bad", tmp_path / "a.png", None, (), words, none, False),
        RenderTask("a", tmp_path / "a.png", None, (), words, sizes, False),
    ]
    (_, bad), (_, good) = render_artworks(tasks, tmp_path, ignore_event, workers=1)
    assert isinstance(bad, ArtgenError)
    assert bad.where == str(tmp_path / "a.png")
    assert bad.problem.startswith("cannot be made (IndexError: ")
    assert isinstance(good, RenderedArtwork)
    with pytest.raises(OSError, match="No such file"):
        list(render_artworks(tasks[1:], tmp_path / "gone", ignore_event, workers=1))


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names themselves")
def test_names_that_are_not_utf_8_are_named_and_left_out(tmp_path: Path) -> None:
    for folder in (b"photos", b"photos/b\xe9d"):
        place = tmp_path / os.fsdecode(folder)
        place.mkdir()
        Image.new("RGB", (200, 150)).save(place / "a.png")
    os.rename(place.parent / "a.png", place.parent / os.fsdecode(b"bad\xff.png"))
    Image.new("RGB", (200, 150)).save(place.parent / "good.png")
    summary = built(tmp_path / "gallery", tmp_path / "photos")
    assert summary.made == ("good",)
    bad = [f"{tmp_path}/photos/{name}" for name in (r"bad\xff.png", r"b\xe9d/a.png")]
    assert [str(each) for each in summary.problems] == [
        f"{name}: has a name that is not UTF-8; give it another name" for name in bad
    ]


def test_a_film_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    whole = film(tmp_path / "whole.mp4").read_bytes()
    for name, content in (("a", b""), ("b", b"words"), ("c", whole[:100]), ("d", b"\0\0\0\x08moov" * 20)):
        (tmp_path / "films" / f"{name}.mp4").write_bytes(content)
    with pytest.raises(ValidationErrors) as caught:
        built(tmp_path / "gallery", tmp_path / "films")
    assert len(caught.value.errors) == 4


def test_many_processes_make_the_same(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(5):
        Image.effect_noise((300, 200), 50 + number).save(tmp_path / "photos" / f"{number}.png")
    (tmp_path / "photos" / "9.png").write_bytes(b"none")
    script = (
        "import sys; from pathlib import Path\n"
        "from artgen.gallery.publish.builder import PublishRequest, publish_site\n"
        "from artgen.gallery.works.settings import SiteSettings\n"
        "if __name__ == '__main__':\n"
        "    target, workers = Path(sys.argv[1]), int(sys.argv[1])\n"
        "    request = PublishRequest((Path('photos'),), target, SiteSettings(), workers=workers)\n"
        "    print(*publish_site(request).problems)\n"
    )
    (tmp_path / "build.py").write_text(script)
    contents = []
    for workers in ("1", "3"):
        environment = {
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        }
        command = [sys.executable, "build.py", workers]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert "9.png: not a picture" in done.stdout, done.stderr
        site = tmp_path / workers
        contents.append({p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()})
    assert contents[0] == contents[1]


def test_a_process_that_dies_takes_no_picture_with_it(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(8):
        Image.effect_noise((1200, 900), 50).save(tmp_path / "photos" / f"{number}.png")
    killed: list[multiprocessing.process.BaseProcess] = []

    def emit(event: object) -> None:
        if not killed:
            killed.extend(multiprocessing.active_children())
            killed[0].kill()

    wanted = PublishRequest(
        (tmp_path / "photos",), tmp_path / "gallery", SiteSettings(formats=("jpg",)), workers=2
    )
    summary = publish_site(wanted, emit)
    assert len(killed) == 2
    assert (len(summary.made), summary.problems) == (8, ())
    assert len(names(tmp_path / "gallery" / "originals")) == 8


@pytest.mark.slow
def test_a_picture_of_20000_px_takes_little_memory(tmp_path: Path) -> None:
    side = 20_000
    (tmp_path / "photos").mkdir()
    gradient = np.linspace(0, 255, side).astype(np.uint8)
    # In strips, or the test itself would need what the program must not.
    import pyvips

    strip = pyvips.Image.new_from_array(np.tile(gradient, (100, 1))).replicate(1, side // 100)
    strip.bandjoin([strip, strip]).copy(interpretation="srgb").jpegsave(
        str(tmp_path / "photos" / "large.jpg")
    )
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    command = [sys.executable, "-c", script, sys.executable, "-m", "artgen", "publish", "photos"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert int(done.stdout.splitlines()[-1]) < 600_000
    assert len(list((tmp_path / "gallery" / "zoom" / "large_files" / "15").iterdir())) == 40 * 40
