"""The contact sheet in a real browser, opened from the disk."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from artgen.curation.sheet import json_for_script, render_sheet, write_sheet
from artgen.runs.store import Run

SELECTED = '.cell[aria-selected="true"]'


@pytest.fixture
def sheet(finished_run: Callable[..., Path]) -> Path:
    with Run.open(finished_run(picks=(2, 5))) as run:
        return write_sheet(run)


def until(page: Any, expression: str) -> None:
    """Wait for it; the page's own policy forbids Playwright's way, which evaluates in the page."""
    end = time.monotonic() + 10
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        time.sleep(0.02)


def focused(page: Any) -> str:
    return str(page.text_content("footer .number"))


def picked(page: Any) -> list[int]:
    return [int(cell.get_attribute("data-at")) + 1 for cell in page.query_selector_all(SELECTED)]


def columns(page: Any) -> int:
    return int(page.evaluate("getComputedStyle(grid).gridTemplateColumns.split(' ').length"))


def test_every_candidate_is_there_uncropped_with_its_words(sheet: Path, open_page: Any) -> None:
    page = open_page(sheet)
    assert page.locator(".cell").count() == 12
    assert page.get_attribute(".cell img", "alt") == "1: After a coffee thumbnail, candidate 1"
    until(page, "[...document.images].slice(0, 12).every((image) => image.naturalWidth > 0)")
    assert page.evaluate("getComputedStyle(document.querySelector('.cell img')).objectFit") == "contain"
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(43, 43, 43)"
    assert page.evaluate("getComputedStyle(grid).gap") == "4px"
    assert page.text_content("#counts") == "2 of 12 candidates picked"
    assert "style.style great-wave" in page.text_content("footer .draws")
    assert "seed 2017" in page.text_content("footer .draws")


@pytest.mark.parametrize("letters", ["arrows", "hjkl"])
def test_moving(sheet: Path, open_page: Any, letters: str) -> None:
    page = open_page(sheet, width=900)
    names = ["ArrowLeft", "ArrowDown", "ArrowUp", "ArrowRight"] if letters == "arrows" else list("hjkl")
    left, down, up, right = names
    wide = columns(page)
    seen = []
    for key in (right, right, left, left, left, down, down, up, "End", right, down, "Home", up):
        page.keyboard.press(key)
        seen.append(int(focused(page)))
    assert seen == [2, 3, 2, 1, 1, 1 + wide, 1 + 2 * wide, 1 + wide, 12, 12, 12, 1, 1]
    assert page.evaluate("document.activeElement === document.querySelector('.cell.current')")
    outline = page.evaluate("getComputedStyle(document.querySelector('.cell.current')).outline")
    assert "rgb(255, 255, 255)" in outline
    assert "2px" in outline


def test_down_from_the_last_full_row_reaches_the_last_candidate(
    finished_run: Callable[..., Path], open_page: Any
) -> None:
    with Run.open(finished_run(shapes=((64, 64),) * 9)) as run:
        page = open_page(write_sheet(run), width=900)
    wide = columns(page)
    assert wide == 4
    for key in ("l", "l", "l", "j", "j"):
        page.keyboard.press(key)
    assert focused(page) == "9"


def test_p_picks_and_a_reload_remembers(sheet: Path, open_page: Any) -> None:
    page = open_page(sheet)
    assert picked(page) == [2, 5]
    for key in ("p", "l", "P"):
        page.keyboard.press(key)
    assert picked(page) == [1, 5]
    tick = ".cell:first-child .tick"
    until(page, f"getComputedStyle(document.querySelector('{tick}')).opacity === '1'")
    assert page.text_content("#counts") == "2 of 12 candidates picked, 2 not yet in the run"
    page.reload()
    assert picked(page) == [1, 5]
    assert page.get_attribute("#pick", "aria-pressed") == "true"


def test_picks_of_the_browser_and_of_the_store_are_merged(
    finished_run: Callable[..., Path], open_page: Any
) -> None:
    folder = finished_run(picks=(2, 5))
    with Run.open(folder) as run:
        page = open_page(write_sheet(run))
        for key in ("p", "l", "p"):
            page.keyboard.press(key)
        run.pick(9, True)
        run.pick(5, False)
        write_sheet(run)
    page.reload()
    assert picked(page) == [1, 9]


def test_a_pick_of_the_sheet_that_the_run_takes_back_stays_taken_back(
    finished_run: Callable[..., Path], open_page: Any
) -> None:
    with Run.open(finished_run()) as run:
        page = open_page(write_sheet(run))
        for key in ("l", "l", "p"):
            page.keyboard.press(key)
        assert picked(page) == [3]
        for on, left in ((True, [3]), (False, [])):
            run.pick(3, on)
            write_sheet(run)
            page.reload()
            assert picked(page) == left
    assert page.text_content("#counts") == "0 of 12 candidates picked"


def test_picks_are_exported_and_said_as_a_command(sheet: Path, open_page: Any) -> None:
    page = open_page(sheet)
    page.keyboard.press("p")
    with page.expect_download() as download:
        page.keyboard.press("e")
    assert download.value.suggested_filename == "picks.json"
    content = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert content == {"format": 1, "run": "abstracts-1a2b3c4d", "picks": [1, 2, 5]}
    with page.expect_download():
        page.click("#export")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#copy")
    until(page, "said.textContent.startsWith('Copied')")
    command = page.evaluate("navigator.clipboard.readText()")
    assert command == f"artgen pick {sheet.parent} 1 2 5"


def test_the_command_can_be_read_where_the_clipboard_is_closed(sheet: Path, open_page: Any) -> None:
    page = open_page(sheet)
    page.evaluate("navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); 0")
    page.click("#copy")
    page.wait_for_selector("#command[open]")
    assert page.input_value("#command textarea").endswith(" 2 5")
    page.keyboard.press("Escape")
    assert not page.is_visible("#command")


def test_the_loupe(sheet: Path, open_page: Any) -> None:
    page = open_page(sheet)
    page.keyboard.press(" ")
    until(page, "large.src.endsWith('candidates/0001.png') && large.naturalWidth === 96")
    for key in ("ArrowRight", "j", "p"):
        page.keyboard.press(key)
    until(page, "large.src.endsWith('candidates/0003.png')")
    assert page.get_attribute("#large", "alt") == "3: After a coffee thumbnail, candidate 3"
    assert page.is_visible(".view.picked .tick")
    page.keyboard.press("Escape")
    assert not page.is_visible("#loupe")
    assert focused(page) == "3"
    assert picked(page) == [2, 3, 5]
    page.keyboard.press(" ")
    page.click("#next")
    page.click("#loupe .pick")
    page.keyboard.press(" ")  # on a button, Space presses the button
    assert picked(page) == [2, 3, 5]
    page.click("#loupe-close")
    assert not page.is_visible("#loupe")


def test_mouse(sheet: Path, open_page: Any) -> None:
    page = open_page(sheet)
    page.click(".cell:nth-child(7)")
    assert focused(page) == "7"
    assert not page.is_visible("#loupe")
    page.click(".cell:nth-child(7)")
    page.click("#loupe-close")
    page.click(".cell:nth-child(8) .tick")
    page.click("#pick")
    page.click("#pick")
    assert picked(page) == [2, 5, 8]
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("p")
    assert picked(page) == [2, 5, 8]


def test_on_a_phone(sheet: Path, open_page: Any) -> None:
    page = open_page(sheet, 390, 844, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert columns(page) == 3
    assert page.text_content("#counts") == "2 / 12"
    page.tap(".cell:nth-child(4)")
    page.tap("footer .pick")
    assert picked(page) == [2, 4, 5]
    page.tap("#loupe-open")
    page.tap("#next")
    assert page.text_content("#loupe .number") == "5"
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for button in page.query_selector_all("#loupe .bar button"):
        assert button.bounding_box()["height"] >= 44


def test_hostile_titles_are_inert(finished_run: Callable[..., Path], open_page: Any) -> None:
    hostile = "</script><script>alert(1)</script> <!--<script> \"'&amp; 100% #2 \u2028 é"
    shapes = ((96, 64), (64, 96), (96, 96))
    with Run.open(finished_run("hos'tile 1#", shapes, title=hostile, caption=hostile)) as run:
        page = open_page(write_sheet(run))
    assert page.text_content("h1") == hostile
    assert page.text_content("footer .words") == hostile
    page.keyboard.press("p")
    assert page.text_content("#counts").startswith("1 of 3 candidates picked")
    page.click("#copy")
    until(page, "said.textContent || command.open")


def test_a_run_without_candidates(finished_run: Callable[..., Path], open_page: Any) -> None:
    with Run.open(finished_run(shapes=())) as run:
        page = open_page(write_sheet(run))
    assert page.is_visible("text=This run has no candidates yet.")
    assert page.is_disabled("#export")


def test_without_javascript_pictures_and_the_command_are_there(sheet: Path, open_page: Any) -> None:
    page = open_page(sheet, java_script_enabled=False)
    assert page.locator(".cell img").count() == 12
    assert page.is_visible("noscript code")


def test_hundreds_of_candidates_are_one_small_file_of_lazy_pictures(
    finished_run: Callable[..., Path],
) -> None:
    with Run.open(finished_run()) as run:
        for index in range(13, 201):
            run.add(replace(run.candidate(1), index=index))
        text = render_sheet(run)
    assert text.count('loading="lazy"') == 200
    assert len(text) < 150_000
    assert not re.search(r'(src|href)="(https?:)?//', text)


def test_json_in_a_script_tag_cannot_leave_it() -> None:
    value = {"a": "</script><!-- & \u2028"}
    text = json_for_script(value)
    assert not re.search("[<>&\u2028]", text)
    assert json.loads(text) == value
