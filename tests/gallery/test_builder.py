"""A published site: its files, its words, and how it behaves in a real browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

from artgen.errors import ArtgenError, Problems
from artgen.gallery.builder import Summary, publish
from artgen.gallery.making import making, process
from artgen.runs.store import Run

SHAPES = ((96, 96), (1200, 800), (96, 144), (96, 96))


def built(target: Path, *folders: Path, **settings: Any) -> Summary:
    with ExitStack() as stack:
        runs = [stack.enter_context(Run.open(folder)) for folder in folders]
        return publish(runs, target, **settings)


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("built")


@pytest.fixture
def site(built_once: Path, finished_run: Callable[..., Path], tmp_path: Path) -> Path:
    folder = finished_run(shapes=SHAPES, picks=(1, 2, 3))
    if not (built_once / "gallery").exists():
        built(built_once / "gallery", folder)
    shutil.copytree(built_once / "gallery", tmp_path / "gallery")
    return tmp_path / "gallery"


class Links(HTMLParser):
    """Every address a page names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.found.append(value)
            if name == "srcset" and value:
                self.found += [part.split()[0] for part in value.split(",")]


def assert_links_resolve(site: Path) -> None:
    for page in site.rglob("*.html"):
        for link in Links(page.read_text("utf-8")).found:
            parts = urlsplit(link)
            if parts.scheme == "data":
                continue
            assert not parts.scheme, (page, link)
            assert not parts.netloc, (page, link)
            assert (page.parent / unquote(parts.path)).is_file(), (page, link)


def test_the_files_of_a_site(site: Path) -> None:
    pages = sorted(path.name for path in (site / "pieces").iterdir())
    assert pages == [f"abstracts-1a2b3c4d-000{number}.html" for number in (1, 2, 3)]
    assert_links_resolve(site)
    original = site / "originals" / "abstracts-1a2b3c4d-0002.png"
    candidate = site.parent / "runs" / "abstracts-1a2b3c4d" / "candidates" / "0002.png"
    assert original.read_bytes() == candidate.read_bytes()
    for kind in ("jpg", "webp"):
        widths = [width for width in (480, 960, 1200) if rendition(site, 2, width, kind).is_file()]
        assert widths == [480, 1200]
        with Image.open(rendition(site, 2, 480, kind)) as image:
            assert image.size == (480, 320)
            assert b"trainedAlgorithmicMedia" in image.info["xmp"]


def rendition(site: Path, index: int, width: int, kind: str) -> Path:
    return site / "images" / f"abstracts-1a2b3c4d-{index:04d}-{width}.{kind}"


def test_originals_can_be_kept_back(site: Path) -> None:
    run = site.parent / "runs" / "abstracts-1a2b3c4d"
    other = site.parent / "kept-back"
    built(other, run)
    assert list((other / "originals").iterdir())
    built(other, run, originals=False)
    assert not (other / "originals").exists()
    assert_links_resolve(other)
    page = (other / "pieces" / "abstracts-1a2b3c4d-0002.html").read_text("utf-8")
    assert "Download the original" not in page
    assert "artgen run recipe.toml --only 2" in page


def test_publishing_again_gives_the_same_files(site: Path) -> None:
    def contents() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}

    before = contents()
    built(site, site.parent / "runs" / "abstracts-1a2b3c4d")
    assert contents() == before


def test_a_piece_says_how_it_was_made(site: Path, open_page: Any) -> None:
    page = open_page(site / "pieces" / "abstracts-1a2b3c4d-0002.html")
    assert page.title() == "Abstracts, no. 2 – Abstracts"
    assert page.text_content("h1") == "Abstracts, no. 2"
    label = page.inner_text(".label")
    assert "8 px mixture of crops, style transfer, film grain" in label
    assert "1200 × 800 px" in label
    assert "After Katsushika Hokusai, Under the Wave off Kanagawa" in label
    assert page.get_attribute(".work img", "alt") == "After a coffee thumbnail, candidate 2"
    assert (page.get_attribute(".work img", "width"), page.get_attribute(".work img", "height")) == (
        "1200",
        "800",
    )
    assert page.locator(".stages li").count() == 3
    assert not page.is_visible(".steps")
    page.click("summary")
    made = page.inner_text(".making")
    for words in ("strength 0.32 drawn", "great-wave.jpg", "0f" * 8, "seed = 2017"):
        assert words in re.sub(r"\s+", " ", made) or words in made
    assert "artgen reproduce abstracts-1a2b3c4d-0002.png" in made
    thumbnail = page.locator(".stages img").first
    assert thumbnail.evaluate("(image) => getComputedStyle(image).imageRendering") == "pixelated"
    assert thumbnail.evaluate("(image) => image.getBoundingClientRect().width") > 100


def test_the_way_through_by_links_and_keys(site: Path, open_page: Any) -> None:
    page = open_page(site / "index.html")
    page.click("a.hung >> nth=0")
    assert page.url.endswith("pieces/abstracts-1a2b3c4d-0001.html")
    assert page.locator("a[rel=prev]").count() == 0
    page.click("a[rel=next]")
    page.wait_for_url("**/abstracts-1a2b3c4d-0002.html")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/abstracts-1a2b3c4d-0003.html")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/abstracts-1a2b3c4d-0002.html")
    page.click(".wayfinding > a")
    page.wait_for_url("**/index.html")


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (800, "light"), (1400, "dark")])
def test_nothing_is_cropped_or_sticks_out(site: Path, open_page: Any, width: int, scheme: str) -> None:
    ground = {"light": "rgb(250, 249, 246)", "dark": "rgb(18, 18, 18)"}[scheme]
    for name in ("index.html", "pieces/abstracts-1a2b3c4d-0002.html"):
        page = open_page(site / name, width, 900, color_scheme=scheme)
        for details in page.query_selector_all("summary"):
            details.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == ground
        for image in page.query_selector_all(".hung img, .work img"):
            image.scroll_into_view_if_needed()
            box = image.bounding_box()
            ratio = int(image.get_attribute("width")) / int(image.get_attribute("height"))
            assert box["width"] / box["height"] == pytest.approx(ratio, rel=0.01)


def test_the_pieces_of_a_row_share_one_height(site: Path, open_page: Any) -> None:
    page = open_page(site / "index.html")
    for row in page.query_selector_all(".row"):
        heights = [image.bounding_box()["height"] for image in row.query_selector_all("img")]
        assert max(heights) - min(heights) < 1


def test_without_javascript_everything_is_readable(site: Path, open_page: Any) -> None:
    page = open_page(site / "pieces" / "abstracts-1a2b3c4d-0001.html", java_script_enabled=False)
    page.click("summary")
    assert page.is_visible("text=artgen reproduce")
    page.click("a[rel=next]")
    page.wait_for_url("**/abstracts-1a2b3c4d-0002.html")


def test_printing_shows_how_it_was_made(site: Path, open_page: Any) -> None:
    page = open_page(site / "pieces" / "abstracts-1a2b3c4d-0001.html", color_scheme="dark")
    page.emulate_media(media="print")
    assert not page.is_visible(".wayfinding")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.is_visible(".steps")
    assert len(page.pdf(width="210mm", height="297mm")) > 10_000


def test_several_runs_hostile_and_equal_titles(
    finished_run: Callable[..., Path], tmp_path: Path, open_page: Any
) -> None:
    hostile = "</title><script>alert(1)</script> \"'&amp; 100% #2 é עברית"
    one = finished_run("hos'tile 1#%41é", SHAPES[:2], (1, 2), hostile, "<img src=x onerror=alert(2)>")
    two = finished_run("hos-tile-1-41e", SHAPES[:2], (2,), hostile)
    three = finished_run("other-00000000", SHAPES[:1], (1,), "Other")
    target = tmp_path / "my gallery #1 é"
    summary = built(target, one, two, three)
    assert [page.name for page in summary.pieces] == [
        *("hos-tile-1-41e-0001.html", "hos-tile-1-41e-0002.html", "hos-tile-1-41e-0002-2.html"),
        "other-00000000-0001.html",
    ]
    assert_links_resolve(target)
    page = open_page(target / "index.html")
    assert page.text_content("h1") == f"{hostile} and Other"
    assert [title.text_content() for title in page.query_selector_all("h2")] == [hostile, hostile, "Other"]
    page.click("a.hung >> nth=1")
    assert page.title() == f"{hostile}, no. 2 – {hostile} and Other"
    assert page.text_content(".caption") == "<img src=x onerror=alert(2)>"


def test_no_picks(finished_run: Callable[..., Path], tmp_path: Path) -> None:
    folder, empty = finished_run(shapes=SHAPES), finished_run("empty-00000000", ())
    with pytest.raises(ArtgenError, match=r"none of its 4 candidates is picked.*artgen curate.*artgen pick"):
        built(tmp_path / "gallery", folder)
    with pytest.raises(Problems, match="has no candidates yet"):
        built(tmp_path / "gallery", folder, empty)
    assert not (tmp_path / "gallery").exists()
    assert len(built(tmp_path / "gallery", folder, everything=True).pieces) == 4


def test_a_damaged_picture_is_named_and_the_old_site_stands(site: Path) -> None:
    run = site.parent / "runs" / "abstracts-1a2b3c4d"
    before = (site / "index.html").read_bytes()
    picture = run / "candidates" / "0002.png"
    picture.write_bytes(picture.read_bytes()[:5000])
    with pytest.raises(ArtgenError, match=r"0002\.png: damaged"):
        built(site, run)
    picture.unlink()
    with pytest.raises(ArtgenError, match=r"0002\.png: missing"):
        built(site, run)
    assert (site / "index.html").read_bytes() == before


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
    assert ", no. 1</h1>" in summary.pieces[0].read_text("utf-8")


def test_the_words_of_the_making(finished_run: Callable[..., Path]) -> None:
    with Run.open(finished_run(shapes=SHAPES[:1])) as run:
        candidate = run.candidate(1)
        assert process(candidate) == "8 px mixture of crops, style transfer, film grain"
        made = making(run.recipe_text, candidate)
    assert [(step.id, step.use) for step in made.steps] == [
        *(("source", "crops"), ("style", "style"), ("grain", "grain"))
    ]
    strength = made.steps[1].fields[1]
    assert (strength.name, strength.value, strength.drawn) == ("strength", "0.31", True)
    assert [credit.name for credit in made.credits] == ["great-wave"]
    assert not made.steps[2].fields[0].drawn


def test_renditions_survive_a_moved_site(site: Path, tmp_path: Path, open_page: Any) -> None:
    shutil.move(site, tmp_path / "elsewhere")
    page = open_page(tmp_path / "elsewhere" / "index.html")
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
