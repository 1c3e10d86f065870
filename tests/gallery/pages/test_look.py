"""Every kind of published page in a real browser: findings of axe, what it asks for, shifts, and its look."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from PIL import Image

from artgen.gallery.publish.builder import PublishRequest, publish_site
from artgen.gallery.works.settings import load_settings

AXE = (Path(__file__).parents[2] / "vendor" / "axe.min.js").read_text("utf-8")
PIECE = "pieces/abstracts-1a2b3c4d-0002.html"
KINDS = ("index.html", "series/{series}", PIECE, "pieces/{wide}", "pieces/{film}", "about.html", "404.html")
SIZES = {"14px", "17px", "21px", "34px", "55px"}
SHIFTS = """
    globalThis.shifted = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shifted += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
"""


def kinds(museum: Path) -> list[str]:
    def named(pattern: str) -> str:
        (found,) = museum.glob(pattern)
        return found.name

    names = {
        "series": named("series/abstracts*.html"),
        "wide": named("pieces/*wide*.html"),
        "film": named("pieces/*walk*.html"),
    }
    return [kind.format(**names) for kind in KINDS]


def findings(page: Any) -> list[tuple[str, str]]:
    """Every finding in the light theme, and those about colours in the dark one."""
    page.evaluate(AXE)
    nodes = []
    for scheme, rules in (("light", ""), ("dark", "runOnly: ['color-contrast'],")):
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(f"axe.run(document, {{ {rules} preload: false, resultTypes: ['violations'] }})")
        nodes += [(each["id"], node["html"][:120]) for each in found["violations"] for node in each["nodes"]]
    return nodes


def see_all(page: Any) -> None:
    """Scroll through, as a visitor does, so that lazy pictures come."""
    page.evaluate(
        """async () => {
          for (let at = 0; at < document.documentElement.scrollHeight; at += 500) {
            scrollTo(0, at);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
          for (const image of document.images) image.loading = "eager";
          await Promise.all([...document.images].map((image) => image.decode()));
          await document.fonts.ready;
        }"""
    )


def test_axe_finds_nothing_on_any_page(museum: Path, visit: Callable[..., Any]) -> None:
    page = visit(by="http", reduced_motion="reduce")
    root = page.url.removesuffix("index.html")
    for path in kinds(museum):
        page.goto(root + path)
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        assert findings(page) == [], path


def test_axe_finds_nothing_in_dialogs(museum: Path, visit: Callable[..., Any]) -> None:
    page = visit(PIECE, reduced_motion="reduce")
    page.click(".open")
    page.wait_for_selector(".pswp--open .pswp__img:not(.pswp__img--placeholder)")
    page.wait_for_selector(".pswp--ui-visible")
    assert findings(page) == []
    page = visit(kinds(museum)[3], reduced_motion="reduce")
    page.click(".open")
    page.wait_for_selector("dialog[open] canvas")
    assert findings(page) == []


@pytest.mark.parametrize("by", [pytest.param("http", marks=pytest.mark.slow), "file"])
def test_every_page_is_whole(museum: Path, visit: Callable[..., Any], by: str) -> None:
    """Each page with everything on it: no failed or foreign request, no word on the console, no shift."""
    pages = sorted(path.relative_to(museum).as_posix() for path in museum.rglob("*.html"))
    assert len(pages) == 14
    page = visit(by=by)
    root = page.url.removesuffix("index.html")
    page.add_init_script(SHIFTS)
    for path in pages:
        if path == "404.html" and by == "file":  # it is for servers, which know where home is
            continue
        page.goto(root + path)
        see_all(page)
        broken = page.evaluate("[...document.images].filter((i) => !i.naturalWidth).map((i) => i.currentSrc)")
        assert broken == []
        assert page.evaluate("globalThis.shifted") < 0.01, path
        for face in ("17px 'Source Serif 4'", "14px Inter"):
            assert page.evaluate("(face) => document.fonts.check(face)", face)


class Links(HTMLParser):
    """Every address a page names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "link" and named.get("rel") == "canonical":
            return
        for name, value in attrs:
            if name in ("href", "src", "poster", "data-slides") and value:
                self.found.append(value)
            if name == "srcset" and value:
                self.found += [part.split()[0] for part in value.split(",")]


def test_no_link_is_broken(museum: Path) -> None:
    outside = set()
    for page in museum.rglob("*.html"):
        place = "/ada/" + page.relative_to(museum).as_posix()
        for link in Links(page.read_text("utf-8")).found:
            parts = urlsplit(urljoin(place, link))
            if parts.scheme:
                outside.add(link)
                continue
            assert parts.path.startswith("/ada/"), (page, link)
            assert (museum / unquote(parts.path.removeprefix("/ada/"))).is_file(), (page, link)
    assert outside == {"data:,", "https://elsewhere.example/ada", "mailto:ada@example.org"}


@pytest.mark.parametrize(
    ("width", "largest"), [pytest.param(1400, "55px", marks=pytest.mark.slow), (390, "34px")]
)
def test_the_look_is_what_was_asked_for(
    museum: Path, visit: Callable[..., Any], width: int, largest: str
) -> None:
    """Five sizes, two faces, no accent, no frame, shadow or radius; nothing wider than the window."""
    styles = """() => [...document.querySelectorAll('body, body *')].map((element) => {
      const style = getComputedStyle(element);
      return { size: style.fontSize, family: style.fontFamily.split(',')[0], radius: style.borderRadius,
               shadow: style.boxShadow + style.textShadow, border: style.borderTopWidth,
               seconds: Math.max(...style.transitionDuration.split(',').map(parseFloat)),
               tag: element.tagName };
    }).filter((each) => !['SCRIPT', 'SOURCE'].includes(each.tag))"""
    for path in kinds(museum):
        page = visit(path, "http", width)
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        found = page.evaluate(styles)
        assert {each["size"] for each in found} <= SIZES, path
        assert {each["family"] for each in found} <= {'"Source Serif 4"', "Inter", "ui-monospace"}
        assert {each["radius"] for each in found} == {"0px"}
        assert {each["shadow"] for each in found} == {"nonenone"}
        assert {each["border"] for each in found} == {"0px"}
        assert max(each["seconds"] for each in found) <= 0.2
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if path == "index.html":
            assert page.eval_on_selector("h1", "(title) => getComputedStyle(title).fontSize") == largest
        page.context.close()


@pytest.mark.parametrize(
    ("scheme", "ground", "text", "quiet"),
    [
        ("light", "rgb(250, 249, 246)", "rgb(26, 26, 26)", "rgb(107, 104, 98)"),
        ("dark", "rgb(18, 18, 18)", "rgb(232, 230, 225)", "rgb(160, 156, 148)"),
    ],
)
def test_colours(visit: Callable[..., Any], scheme: str, ground: str, text: str, quiet: str) -> None:
    page = visit(PIECE, color_scheme=scheme)
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == ground
    used = page.evaluate(
        "[...document.querySelectorAll('main *, header *')].map((each) => getComputedStyle(each).color)"
    )
    assert set(used) == {text, quiet}
    page = visit("about.html", color_scheme=scheme)
    page.keyboard.press("Tab")
    focus = page.evaluate(
        "(({ outlineWidth, outlineStyle, outlineColor }) => [outlineWidth, outlineStyle, outlineColor])"
        "(getComputedStyle(document.activeElement))"
    )
    assert focus == ["2px", "solid", text]


def test_no_movement_for_those_who_want_none(visit: Callable[..., Any]) -> None:
    page = visit(PIECE, reduced_motion="reduce")
    durations = page.evaluate(
        "[...document.querySelectorAll('*')].map((each) => getComputedStyle(each).transitionDuration)"
    )
    assert set(durations) == {"0s"}


def test_no_picture_is_cropped_and_rows_share_one_height(museum: Path, visit: Callable[..., Any]) -> None:
    for path in ("index.html", kinds(museum)[1], PIECE):
        page = visit(path)
        for width in (390, 800, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            for image in page.query_selector_all(".hung img, .hero img, .work img"):
                box = image.bounding_box()
                ratio = int(image.get_attribute("width")) / int(image.get_attribute("height"))
                assert box["width"] / box["height"] == pytest.approx(ratio, rel=0.01)
            if width > 720:
                for row in page.query_selector_all(".row"):
                    heights = [image.bounding_box()["height"] for image in row.query_selector_all("img")]
                    assert max(heights) - min(heights) < 1


def test_hostile_titles_are_words(museum: Path, visit: Callable[..., Any], hostile: str) -> None:
    pages = sorted(path.name for path in museum.glob("pieces/*.html") if "hostile" in path.name)
    assert len(pages) == 2
    assert all(re.fullmatch(r"[a-z0-9.-]+", name) for name in pages)
    page = visit(f"pieces/{pages[0]}", width=390)
    assert page.text_content("h1 cite") == hostile
    assert page.title() == f"{hostile} – Ten thousand thumbnails"
    assert page.get_attribute(".work img", "alt") == "<img src=x onerror=alert(2)>"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click(".open")
    page.wait_for_selector(".pswp--open")
    assert page.text_content(".pswp__words") == hostile
    (series,) = museum.glob("series/hostile*.html")
    for path in ("index.html", f"series/{series.name}"):
        assert visit(path, width=390).evaluate("document.documentElement.scrollWidth") <= 390
    page = visit()
    assert hostile in [title.text_content() for title in page.query_selector_all("h2")]


@pytest.mark.parametrize("width", [390, pytest.param(1400, marks=pytest.mark.slow)])
def test_long_words_do_not_make_a_page_wider(tmp_path: Path, chromium: Any, width: int) -> None:
    long = "Donaudampfschifffahrt" * 9
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a.png", f"{long}.png"):
        Image.new("RGB", (60, 160)).save(photos / name)
    cells = "| " + " | ".join(["Donaudampfschiff"] * 20) + " |"
    (tmp_path / "about.md").write_text(f"# {long}\n\n{long}\n\n{cells}\n{'|--' * 20}|\n{cells}\n")
    (tmp_path / "gallery.toml").write_text(
        f'title = "{long}"\nstatement = "{long}"\nartist = "{long}"\nrights = "{long}"\nedition = "{long}"\n'
        f'[[series]]\nrun = "photos"\ntitle = "{long}"\nstatement = "{long}"\n'
        f'[[links]]\nname = "{long}"\nurl = "https://example.org/"\n'
    )
    publish_site(
        PublishRequest((photos,), tmp_path / "site", load_settings(tmp_path / "gallery.toml"), workers=1)
    )
    page = chromium.new_page(viewport={"width": width, "height": 800})
    for file in sorted((tmp_path / "site").rglob("*.html")):
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, file.name
    page.close()


def test_without_javascript_every_page_is_whole(museum: Path, visit: Callable[..., Any]) -> None:
    page = visit(java_script_enabled=False)
    assert not page.is_visible(".theme")
    page.click("a.hero")
    page.click("summary")
    assert [stage.is_visible() for stage in page.query_selector_all(".stages li")] == [True] * 3
    assert page.locator(".slider >> visible=true").count() == 0
    assert page.is_visible("text=artgen reproduce")
    page.click("a[rel=next]")
    assert page.url.endswith(PIECE)
    page.click(".open")
    assert page.url.endswith(".jpg")


@pytest.mark.slow
def test_print(visit: Callable[..., Any]) -> None:
    page = visit(PIECE, color_scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.is_visible(".steps")
    assert [stage.is_visible() for stage in page.query_selector_all(".stages li")] == [True] * 3
    for hidden in (".ways", ".theme", ".slider input", ".copy"):
        assert not page.is_visible(f"{hidden} >> nth=0")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert len(page.pdf(width="210mm", height="297mm")) > 10_000
