"""What published pages do when they are used: theme, keys, swipes, sliders, the lightbox and deep zoom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from artgen.gallery.publish.builder import PublishRequest, publish_site
from artgen.gallery.works.settings import SiteSettings

FIRST, SECOND, THIRD = (f"pieces/abstracts-1a2b3c4d-000{number}.html" for number in (1, 2, 3))
GROUND = "getComputedStyle(document.documentElement).backgroundColor"
LIGHT, DARK = "rgb(250, 249, 246)", "rgb(18, 18, 18)"


def test_the_theme_follows_the_system_until_it_is_chosen(visit: Callable[..., Any]) -> None:
    page = visit(color_scheme="light")
    assert page.evaluate(GROUND) == LIGHT
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(GROUND) == DARK
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(GROUND) == DARK
    page.click("a.hero")
    page.wait_for_url(f"**/{FIRST}")
    assert page.evaluate(GROUND) == DARK
    page.get_by_role("button", name="Light").click()
    assert page.evaluate(GROUND) == LIGHT


def test_the_chosen_theme_is_there_before_anything_is_painted(museum: Path) -> None:
    for page in museum.rglob("*.html"):
        head = page.read_text("utf-8").split("</head>")[0]
        assert head.index("assets/theme.js") < head.index("assets/site.css")
        assert 'theme.js" defer' not in head


def test_the_way_by_links_and_keys(visit: Callable[..., Any]) -> None:
    page = visit()
    page.click("a.hero")
    page.wait_for_url(f"**/{FIRST}")
    assert page.locator("a[rel=prev]").count() == 0
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/{SECOND}")
    page.click("a[rel=next]")
    page.wait_for_url(f"**/{THIRD}")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/{SECOND}")
    page.click(".where a >> nth=1")
    page.wait_for_url("**/series/*")
    page.click(".where a")
    page.wait_for_url("**/index.html")


def test_the_way_by_swipes(visit: Callable[..., Any]) -> None:
    page = visit(SECOND, width=390, has_touch=True, is_mobile=True)
    swipe = """([from, to, down]) => {
      const at = (x, y) => new Touch({ identifier: 1, target: document.body, clientX: x, clientY: y });
      const send = (kind, touch, touches) => document.body.dispatchEvent(
        new TouchEvent(kind, { touches, changedTouches: [touch], bubbles: true }));
      send("touchstart", at(from, 300), [at(from, 300)]);
      send("touchend", at(to, 300 + down), []);
    }"""
    page.evaluate(swipe, [200, 160, 0])  # too little
    page.evaluate(swipe, [300, 100, 400])  # scrolling
    page.wait_for_timeout(100)
    assert page.url.endswith(SECOND)
    page.evaluate(swipe, [300, 100, 10])
    page.wait_for_url(f"**/{THIRD}")
    page.evaluate(swipe, [100, 300, 10])
    page.wait_for_url(f"**/{SECOND}")


def test_stages_under_a_slider(visit: Callable[..., Any]) -> None:
    page = visit(SECOND)
    page.click("summary")
    stages, slider = page.locator(".stages"), page.locator(".stages input")
    ticks = [tick.text_content() for tick in page.query_selector_all(".stages .ticks span")]
    assert ticks == ["thumbnail", "480", "grain"]
    told = "[data-told] p"
    assert "Mixture of crops" in stages.locator(told).inner_text()
    assert slider.get_attribute("aria-valuetext") == "Mixture of crops 8 × 8 px"
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert "Style transfer" in stages.locator(told).inner_text()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert slider.input_value() == "2"
    assert page.url.endswith(SECOND)  # the arrows moved the slider, not the visitor
    slider.evaluate("(range) => { range.value = 0.25; range.dispatchEvent(new Event('input')); }")
    opacities = stages.locator("picture").evaluate_all("(all) => all.map((each) => each.style.opacity)")
    assert opacities == ["1", "0.25", "0"] or opacities[1] == "0.25"
    boxes = [image.bounding_box() for image in page.query_selector_all(".stages [data-near] img")]
    assert boxes[0]["x"] == boxes[1]["x"]
    assert boxes[0]["width"] == boxes[1]["width"]


def test_before_and_after(visit: Callable[..., Any]) -> None:
    page = visit(SECOND)
    page.click("summary")
    slider = page.locator(".compare input")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "53 percent before, 47 percent after"
    clip = page.locator(".after").evaluate("(after) => getComputedStyle(after).clipPath")
    assert "53%" in clip
    before, after = (page.locator(f".{name} img").bounding_box() for name in ("before", "after"))
    assert before == after


def test_the_command_is_copied(visit: Callable[..., Any]) -> None:
    page = visit(SECOND, by="http", permissions=["clipboard-read", "clipboard-write"])
    page.click("summary")
    page.click(".copy")
    page.wait_for_selector("text=Copied")
    command = page.evaluate("navigator.clipboard.readText()")
    assert command == "artgen reproduce abstracts-1a2b3c4d-0002.png"


@pytest.mark.parametrize("by", [pytest.param("http", marks=pytest.mark.slow), "file"])
def test_the_lightbox(visit: Callable[..., Any], by: str) -> None:
    page = visit(FIRST, by=by)
    page.focus(".open")
    page.keyboard.press("Enter")
    box = page.get_by_role("dialog", name="Enlarged")
    box.wait_for()
    assert box.get_attribute("aria-modal") == "true"
    page.wait_for_function("document.querySelector('.pswp').contains(document.activeElement)")
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('.pswp').contains(document.activeElement)")
    page.keyboard.press("Escape")
    page.wait_for_selector(".pswp", state="detached")
    assert page.evaluate("document.activeElement.className") == "open"
    page.keyboard.press("Enter")
    page.wait_for_selector(".pswp--open")
    page.wait_for_timeout(300)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.pswp__counter').textContent.startsWith('2')")
    page.keyboard.press("Escape")
    page.wait_for_url(f"**/{SECOND}")


@pytest.mark.parametrize("by", [pytest.param("http", marks=pytest.mark.slow), "file"])
def test_deep_zoom(museum: Path, visit: Callable[..., Any], by: str) -> None:
    (wide,) = museum.glob("pieces/*wide*.html")
    page = visit(f"pieces/{wide.name}", by=by)
    tiles: list[str] = []
    page.on("response", lambda response: tiles.append(response.url) if "/zoom/" in response.url else None)
    assert page.evaluate("typeof OpenSeadragon") == "undefined"
    page.focus(".closer")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] canvas")
    page.wait_for_function(
        """() => {
          const canvas = document.querySelector("dialog canvas");
          const middle = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
          middle.drawImage(canvas, canvas.width / 2, canvas.height / 2, 1, 1, 0, 0, 1, 1);
          return middle.getImageData(0, 0, 1, 1).data[3] === 255;
        }"""
    ) if by == "http" else page.wait_for_timeout(500)  # a page from a disk may show pictures, not read them
    first = set(tiles)
    assert first
    assert page.evaluate("document.activeElement.getAttribute('role')") == "application"
    for _ in range(6):
        page.get_by_role("button", name="Zoom in").click()
    page.wait_for_timeout(600)
    levels = {int(tile.split("/")[-2]) for tile in tiles}
    assert max(levels) == 13  # the picture itself: 4,800 px
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    assert page.evaluate("document.activeElement.className") == "closer"


def test_a_film_plays(museum: Path, visit: Callable[..., Any]) -> None:
    (walk,) = museum.glob("pieces/*walk*.html")
    page = visit(f"pieces/{walk.name}", by="http")
    film = page.locator("video")
    assert film.evaluate("(film) => film.paused && film.controls && film.poster.endsWith('.jpg')")
    assert page.locator(".work img").count() == 0
    assert film.bounding_box()["width"] / film.bounding_box()["height"] == pytest.approx(160 / 96, rel=0.01)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_titles_of_either_direction_stand_at_their_pictures(
    tmp_path: Path, open_page: Callable[..., Any], language: str
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("بحر الليل", "Night sea"):
        Image.new("RGB", (300, 200), "teal").save(folder / f"{name}.png")
    request = PublishRequest([folder], tmp_path / "site", SiteSettings(language=language))
    publish_site(request)
    page = open_page(tmp_path / "site" / "index.html", 1400, 900)
    for piece in (tmp_path / "site" / "pieces").glob("*.html"):
        page.goto(piece.as_uri())
        side = "left" if language == "en" else "right"
        gap = page.evaluate(
            """side => {
              const range = document.createRange();
              range.selectNodeContents(document.querySelector("h1 cite"));
              const title = range.getBoundingClientRect();
              const block = document.querySelector("h1").getBoundingClientRect();
              return Math.abs(title[side] - block[side]);
            }""",
            side,
        )
        assert gap < 20, piece
