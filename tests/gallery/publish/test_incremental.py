"""Publishing again: each kind of change is seen, nothing else is made, and no crash leaves half a site."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

from artgen.errors import ArtgenError, ValidationErrors
from artgen.gallery.publish.builder import PublishRequest, PublishSummary, plan_publishing, publish_site
from artgen.gallery.publish.manifest import MANIFEST_FILE
from artgen.gallery.works.settings import load_settings
from artgen.runs.store import DecisionChange, Run

ROOT = Path(__file__).parents[3]
TEXT = 'formats = ["jpg"]\nwidths = [100, 200]\n'


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, colour in enumerate(("red", "green", "blue"), 1):
        Image.new("RGB", (300, 200), colour).save(folder / f"p{number}.jpg")
    (tmp_path / "gallery.toml").write_text(TEXT)
    return folder


def order(photos: Path, *more: Run | Path, **settings: object) -> PublishRequest:
    settled = load_settings(photos.parent / "gallery.toml", **settings)
    own = photos.parent / "templates"
    return PublishRequest(
        (photos, *more), photos.parent / "site", settled, own if own.is_dir() else None, force=True, workers=1
    )


def built(photos: Path, *more: Run | Path, **settings: object) -> PublishSummary:
    return publish_site(order(photos, *more, **settings))


def inodes(site: Path) -> dict[str, int]:
    return {
        path.relative_to(site).as_posix(): path.stat().st_ino for path in site.rglob("*") if path.is_file()
    }


def colour(site: Path, name: str) -> tuple[int, ...]:
    with Image.open(site / "images" / name) as image:
        return tuple(round(value / 255) for value in image.convert("RGB").getpixel((5, 5)))


class _Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value and tag != "meta":
                self.found.append(value)
            if name == "srcset" and value:
                self.found += [part.split()[0] for part in value.split(",")]


def assert_whole(site: Path) -> None:
    """Every link leads to a file, every file is known, and is what the manifest says it is."""
    for page in site.rglob("*.html"):
        for link in _Links(page.read_text("utf-8")).found:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or not parts.path or page.name == "404.html":
                continue
            assert (page.parent / unquote(parts.path)).exists(), (page, link)
    noted = json.loads((site / MANIFEST_FILE).read_text())
    found = {
        path.relative_to(site).as_posix(): path.stat().st_size for path in site.rglob("*") if path.is_file()
    }
    del found[MANIFEST_FILE]
    assert noted["files"] == found


def test_nothing_changed_and_nothing_is_touched(photos: Path) -> None:
    first = built(photos)
    assert (len(first.made), first.kept, first.touched) == (3, 0, True)
    site = photos.parent / "site"
    assert_whole(site)
    before = inodes(site), site.stat().st_ino
    again = built(photos)
    assert (again.made, again.kept, again.touched) == ((), 3, False)
    assert (inodes(site), site.stat().st_ino) == before
    assert again.pieces == first.pieces
    assert plan_publishing(order(photos)).idle


def test_one_picture_edited_its_date_and_size_kept(photos: Path) -> None:
    site = photos.parent / "site"
    built(photos)
    before, state = inodes(site), (photos / "p2.jpg").stat()
    other = (photos / "p1.jpg").read_bytes()
    (photos / "p2.jpg").write_bytes(other.ljust(state.st_size, b"\0")[: max(state.st_size, len(other))])
    os.utime(photos / "p2.jpg", ns=(state.st_atime_ns, state.st_mtime_ns))
    (planned,) = plan_publishing(order(photos)).made
    assert (planned.work.slug, planned.why) == ("p2", "picture changed")
    assert built(photos).made == ("p2",)
    assert colour(site, "p2_200.jpg") == (1, 0, 0)
    assert_whole(site)
    after = inodes(site)
    assert {name for name in before if name.startswith("images/") and after[name] != before[name]} == {
        *("images/p2_100.jpg", "images/p2_200.jpg")
    }


def test_one_picture_more_and_one_less(photos: Path) -> None:
    site = photos.parent / "site"
    built(photos)
    (photos / "p1.jpg").unlink()
    Image.new("RGB", (300, 200), "white").save(photos / "p4.jpg")
    plan = plan_publishing(order(photos))
    assert ([each.work.slug for each in plan.made], plan.made[0].why, plan.removed) == (
        ["p4"],
        "new",
        ("p1",),
    )
    done = built(photos)
    assert (done.made, done.kept, done.removed) == (("p4",), 2, ("p1",))
    assert not list(site.rglob("p1*"))
    assert_whole(site)


def test_a_renamed_picture_and_a_swapped_one(photos: Path) -> None:
    site = photos.parent / "site"
    built(photos)
    (photos / "p1.jpg").rename(photos / "x")
    (photos / "p2.jpg").rename(photos / "p1.jpg")
    (photos / "x").rename(photos / "p2.jpg")
    assert set(built(photos).made) == {"p1", "p2"}
    assert colour(site, "p1_100.jpg") == (0, 1, 0) or colour(site, "p1_100.jpg") == (0, 0, 0)
    assert colour(site, "p2_100.jpg") == (1, 0, 0)


@pytest.mark.parametrize(
    ("line", "why", "pages"),
    [
        ("jpeg_quality = 40", "settings changed", "works changed"),
        ("originals = false", "settings changed", "works changed"),
        ('rights = "© A"', "title, alt text, artist or rights changed", "works changed"),
        ('title = "Other"', None, "settings changed"),
        ("# a comment", None, ""),
    ],
)
def test_each_kind_of_setting(photos: Path, line: str, why: str | None, pages: str) -> None:
    built(photos)
    (photos.parent / "gallery.toml").write_text(f"{TEXT}{line}\n", "utf-8")
    plan = plan_publishing(order(photos))
    assert {each.why for each in plan.made} == ({why} if why else set())
    assert plan.pages == pages
    done = built(photos)
    assert len(done.made) == (3 if why else 0)
    assert done.touched == bool(pages)
    assert plan_publishing(order(photos)).idle
    assert_whole(photos.parent / "site")


def test_words_and_picks_of_a_run(finished_run: Callable[..., Path], photos: Path) -> None:
    folder = finished_run(shapes=((150, 100),) * 3, picks=(1, 2))
    site = photos.parent / "site"
    with Run.open(folder) as run:
        built(photos, run)
        run.decisions.decide([DecisionChange(2, "title", "Night")], author="a", view="sheet")
        run.pick(1, False)
        run.pick(3, True)
        plan = plan_publishing(order(photos, run))
        reasons = {each.work.slug[-4:]: each.why for each in plan.made}
        assert reasons == {"0002": "title, alt text, artist or rights changed", "0003": "new"}
        assert [slug[-4:] for slug in plan.removed] == ["0001"]
        built(photos, run)
        assert_whole(site)
        assert "Night" in (site / "pieces" / f"{folder.name}-0002.html").read_text("utf-8")
        assert b"Night" in (site / "originals" / f"{folder.name}-0002.png").read_bytes()
        stage = next((folder / "stages").glob("0002-1*"))
        stage.write_bytes(next((folder / "stages").glob("0003-1*")).read_bytes())
        assert [each.why for each in plan_publishing(order(photos, run)).made] == ["stages changed"]


def test_templates_and_texts(photos: Path) -> None:
    site = photos.parent / "site"
    built(photos)
    (photos.parent / "about.md").write_text("# Me\n\nI paint.")
    assert plan_publishing(order(photos)).pages == "templates, about.md or its files changed"
    built(photos)
    assert "I paint." in (site / "about.html").read_text("utf-8")
    (photos.parent / "templates").mkdir()
    (photos.parent / "templates" / "404.html").write_text("<title>{{ site.title }}, mine</title>", "utf-8")
    before = inodes(site)
    assert built(photos).touched
    assert (site / "404.html").read_text("utf-8") == "<title>Photos, mine</title>"
    after = inodes(site)
    assert {name for name in before if before[name] != after[name]} == {"404.html", MANIFEST_FILE}
    (photos.parent / "about.md").unlink()
    built(photos)
    assert not (site / "about.html").exists()


def test_files_that_the_text_names_go_along(photos: Path) -> None:
    site, place = photos.parent / "site", photos.parent
    (place / "about.md").write_text(
        "# Me\n\n![portrait](me/my%20face.jpg) [cv](cv.pdf#page=2) [gone](gone.pdf) [out](../secret.txt)"
        " [linked](linked.txt) [wall](index.html) [shop](shop/) [far](https://example.org/x.pdf)"
    )
    (place / "me").mkdir()
    Image.new("RGB", (30, 20), "red").save(place / "me" / "my face.jpg")
    (place / "cv.pdf").write_bytes(b"%PDF first")
    (place.parent / "secret.txt").write_text("secret")
    (place / "linked.txt").symlink_to(place.parent / "secret.txt")
    summary = built(photos)
    assert [str(problem).split(":")[1].strip() for problem in summary.problems] == [
        *("gone.pdf", "../secret.txt", "linked.txt")
    ]
    page = (site / "about.html").read_text("utf-8")
    assert 'src="files/me/my%20face.jpg"' in page
    assert 'href="files/cv.pdf#page=2"' in page
    assert (site / "files" / "cv.pdf").read_bytes() == b"%PDF first"
    with Image.open(site / "files" / "me" / "my face.jpg") as face:
        assert face.size == (30, 20)
    assert sorted(path.name for path in (site / "files").rglob("*")) == ["cv.pdf", "me", "my face.jpg"]
    assert not built(photos).touched
    (place / "cv.pdf").write_bytes(b"%PDF other")
    assert built(photos).touched
    assert (site / "files" / "cv.pdf").read_bytes() == b"%PDF other"


@pytest.mark.parametrize("name", ["images/p2_100.jpg", "index.html", "assets/site.css", "originals/p3.jpg"])
def test_a_file_of_the_site_that_was_lost_or_cut_short(photos: Path, name: str) -> None:
    site = photos.parent / "site"
    built(photos)
    whole = (site / name).read_bytes()
    (site / name).unlink()
    assert "missing from the site" in (
        plan_publishing(order(photos)).pages + str(plan_publishing(order(photos)).made)
    )
    built(photos)
    assert (site / name).read_bytes() == whole
    (site / name).write_bytes(whole[:20])
    built(photos)
    assert (site / name).read_bytes() == whole
    assert_whole(site)


def test_a_fresh_checkout_makes_nothing_again(photos: Path, tmp_path: Path) -> None:
    """Other dates, other inodes, another machine's empty cache: the content is the same."""
    built(photos)
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("photos", "site", "gallery.toml"):
        source = tmp_path / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, clone / name)
    for path in clone.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    assert built(clone / "photos").touched is False


def test_the_cache_never_lies(photos: Path) -> None:
    """A file that was hashed long ago and then changed, its date put back, is seen all the same: by ctime."""
    built(photos)
    for photo in photos.iterdir():
        os.utime(photo, (1_000_000_000, 1_000_000_000))
    time.sleep(2.2)  # so that hashes are remembered
    built(photos)
    assert list((photos.parent / "cache").rglob("*.json"))
    state = (photos / "p1.jpg").stat()
    content = bytearray((photos / "p1.jpg").read_bytes())
    content[-3] ^= 1
    (photos / "p1.jpg").write_bytes(content)
    os.utime(photos / "p1.jpg", ns=(state.st_atime_ns, state.st_mtime_ns))
    assert [each.work.slug for each in plan_publishing(order(photos)).made] == ["p1"]
    for memory in (photos.parent / "cache").rglob("*.json"):
        memory.write_text('{"broken": [1')
    assert [each.work.slug for each in plan_publishing(order(photos)).made] == ["p1"]


def test_a_corrupt_picture_is_named_and_the_rest_published(photos: Path) -> None:
    site = photos.parent / "site"
    built(photos)
    (photos / "p2.jpg").write_bytes((photos / "p2.jpg").read_bytes()[:300])
    done = built(photos)
    assert [problem.where for problem in done.problems] == [str(photos / "p2.jpg")]
    assert "damaged" in str(done.problems[0])
    assert [page.name for page in done.pieces] == ["p1.html", "p3.html"]
    assert not list(site.rglob("p2*"))
    assert_whole(site)
    before = site.stat().st_ino
    again = built(photos)
    assert len(again.problems) == 1
    assert not again.touched
    assert site.stat().st_ino == before
    Image.new("RGB", (300, 200), "blue").save(photos / "p2.jpg")
    assert built(photos).made == ("p2",)
    for photo in photos.iterdir():
        photo.write_bytes(b"nothing")
    index = (site / "index.html").read_bytes()
    with pytest.raises(ValidationErrors, match="not a picture") as caught:
        built(photos)
    assert len(caught.value.errors) == 3
    assert (site / "index.html").read_bytes() == index


def test_a_manifest_of_another_hand_is_not_believed(photos: Path) -> None:
    site = photos.parent / "site"
    built(photos)
    (photos.parent / "secret.jpg").write_bytes(b"secret")
    noted = json.loads((site / MANIFEST_FILE).read_text())
    noted["works"]["p1"]["files"].append("../secret.jpg")
    noted["files"]["../secret.jpg"] = 6
    (site / MANIFEST_FILE).write_text(json.dumps(noted))
    assert len(built(photos).made) == 3
    noted = json.loads((site / MANIFEST_FILE).read_text())
    (site / "images" / "p1_100.jpg").unlink()
    (site / "images" / "p1_100.jpg").symlink_to("../../secret.jpg")
    noted["files"]["images/p1_100.jpg"] = 6
    (site / MANIFEST_FILE).write_text(json.dumps(noted))
    assert built(photos).made == ("p1",)
    assert not (site / "images" / "p1_100.jpg").is_symlink()
    assert (site / "images" / "p1_100.jpg").stat().st_size > 6
    noted = json.loads((site / MANIFEST_FILE).read_text())
    noted["works"]["p1"]["rendered"] = {"image": 3}
    (site / MANIFEST_FILE).write_text(json.dumps(noted))
    (photos / "p3.jpg").unlink()
    built(photos)
    assert_whole(site)


def test_the_site_lies_in_the_folder_that_is_published(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos.parent)
    wanted = PublishRequest(
        (Path(),), photos.parent / "site", load_settings(photos.parent / "gallery.toml"), workers=1
    )
    publish_site(wanted)
    assert plan_publishing(wanted).idle
    with pytest.raises(ArtgenError, match="holds the pictures"):
        publish_site(PublishRequest((photos,), photos.parent, order(photos).settings, force=True))


SCRIPT = """
import os, signal, sys, threading
from pathlib import Path
from artgen.events import WorkProgress
from artgen.gallery.publish.builder import PublishRequest, publish_site
from artgen.gallery.works.settings import load_settings

def emit(event):
    if isinstance(event, WorkProgress):
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    publish_site(PublishRequest((Path("photos"),), Path("site"), load_settings(), workers=2), emit)
"""


def test_killed_in_the_middle_the_old_site_stands(photos: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    built(photos)
    old = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    for number in range(1, 9):
        Image.effect_noise((900, 700), 60).save(photos / f"p{number}.jpg")
    (tmp_path / "kill.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "kill.py"], cwd=tmp_path, env=environment)
    assert done.returncode == -signal.SIGKILL
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == old
    assert_whole(site)
    time.sleep(0.5)  # its processes see that it is gone
    assert len(built(photos).made) == 8
    assert_whole(site)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".site")]
