"""The contact sheet with a mouse, with touch, and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.curation.served import CurateProcess
from tests.curation.sheets import SheetTab


@pytest.fixture(scope="module")
def _phone(sheet_server: CurateProcess, _window: SheetTab, chromium: Any) -> Iterator[SheetTab]:
    state = _window.page.context.storage_state()
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, storage_state=state
    )
    yield SheetTab(context.new_page(), sheet_server).open()
    context.close()


@pytest.fixture
def phone(_phone: SheetTab) -> Iterator[SheetTab]:
    yield _phone.reset()
    assert _phone.console_messages == []


def long_press(sheet: SheetTab, number: int) -> None:
    x, y, width, height = sheet.cell_boxes()[number]
    session = sheet.page.context.new_cdp_session(sheet.page)
    points = [{"x": x + width / 2, "y": y + height / 2}]
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
    sheet.page.wait_for_timeout(600)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def test_mouse_actions(sheet: SheetTab) -> None:
    page = sheet.page
    page.click("#c7")
    assert sheet.focused_number == 7
    assert page.is_hidden(".viewer")
    page.click("#c7")
    assert page.is_visible(".viewer")
    page.click("#keep")
    assert sheet.focused_number == 8
    page.click(".viewer-tools [aria-label=Close]")
    page.dblclick("#c3")
    assert page.is_visible(".viewer")
    page.keyboard.press("Escape")
    page.click("#c1")
    page.click("#c3", modifiers=["Control"])
    page.click("#c5", modifiers=["Control"])
    assert sheet.with_class("selected") == [3, 5]
    page.click("#c9", modifiers=["Shift"])
    assert sheet.with_class("selected") == [5, 6, 7, 8, 9]
    assert sheet.text("#selected") == "5 selected"
    page.click("#reject")
    assert sheet.with_class("rejected") == [5, 6, 7, 8, 9]
    page.click("#undo")
    assert sheet.with_class("kept") == [7]
    page.click("#selected")
    assert sheet.with_class("selected") == []
    page.click("#c2")
    page.click("#compare")
    assert page.locator(".pane").count() == 2
    page.click("#more")
    page.click("[role=menuitem]:has-text('Keep this, reject the others')")
    assert (sheet.with_class("kept"), sheet.with_class("rejected")) == ([2, 7], [3])
    page.keyboard.press("Escape")
    page.click("#clear")
    page.click("#help-button")
    assert page.is_visible("#help")
    page.click("#help button")
    page.keyboard.press("x")  # the keyboard focus is on the sheet again
    assert sheet.with_class("rejected") == [3, 4]


@pytest.mark.parametrize(
    ("words", "then"),
    [
        ("Survey up to nine", ".viewer[data-mode=survey]"),
        ("100 %", ".viewer[data-mode=loupe]"),
        ("Title and alt text", "#title[open]"),
        ("Recipe, seed, draws, stages", "#info[open]"),
        ("Select this", ".cell.selected"),
        ("Select all shown", ".cell.selected"),
    ],
)
def test_all_other_actions_are_under_more(sheet: SheetTab, words: str, then: str) -> None:
    sheet.page.click("#more")
    sheet.page.click(f"[role=menuitem]:has-text('{words}')")
    sheet.page.wait_for_selector(then)
    sheet.press("Escape")


def test_touch_on_a_phone(phone: SheetTab) -> None:
    page = phone.page
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    boxes = phone.cell_boxes()
    assert [round(boxes[number][0]) for number in (1, 2, 3)] == [4, 132, 260]
    assert boxes[4][1] > boxes[1][1]
    page.tap("#c4")
    page.tap("#keep")
    page.tap("#reject")
    assert (phone.with_class("kept"), phone.with_class("rejected"), phone.focused_number) == ([4], [5], 6)
    page.tap("#undo")
    assert (phone.with_class("rejected"), phone.focused_number) == ([], 5)
    page.tap("#c5")
    assert page.is_visible(".viewer")
    page.tap("#keep")
    assert phone.text(".pane figcaption").startswith("6")
    page.tap("#compare")
    assert page.locator(".pane").count() == 2
    last, tools = (page.locator(part).last.bounding_box() for part in (".pane", ".viewer-tools"))
    assert last["y"] + last["height"] <= tools["y"]
    page.tap("#more")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.tap("[role=menuitem][aria-label='4 stars']")
    page.tap(".viewer-tools [aria-label=Close]")
    assert phone.label(6) == "6: Candidate 6, undecided, 4 stars"
    for selector in ("header button", "footer button"):
        for button in page.query_selector_all(selector):
            if box := button.bounding_box():
                assert min(box["width"], box["height"]) >= 44, button.text_content()


def test_a_long_press_selects(phone: SheetTab) -> None:
    long_press(phone, 2)
    assert (phone.with_class("selected"), phone.text("#selected")) == ([2], "1 sel.")
    phone.page.tap("#c6")
    phone.page.tap("#c8")
    phone.page.tap("#c6")
    assert phone.with_class("selected") == [2, 8]
    phone.page.tap("#keep")
    assert phone.with_class("kept") == [2, 8]
    phone.page.tap("#selected")
    assert phone.with_class("selected") == []
    assert phone.page.is_hidden(".viewer")


def test_no_text_of_the_header_is_cut_off_on_a_phone(phone: SheetTab) -> None:
    phone.press("p", "p", "p", "Shift+R", "Enter", "p", "p", "Shift+R", "Enter", "Control+a")
    phone.wait_until(lambda: phone.save_status == "saved")
    assert [phone.text(part) for part in ("#selected", "#filter", "#sort")] == ["2 sel.", "Round", "Order"]
    cut_texts = phone.page.evaluate(
        "[...document.querySelectorAll('header :is(h1, p, button), footer button')]"
        ".filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth)"
        ".map((one) => one.textContent)"
    )
    assert cut_texts == []


def test_header_and_footer_do_not_move(phone: SheetTab) -> None:
    def bounding_boxes() -> list[Any]:
        return [phone.page.locator(part).bounding_box() for part in ("header", "main", "footer")]

    before = bounding_boxes()
    phone.press("p", "x", "5", "Shift+ArrowDown", "g", "Escape", "Control+z", "+", "-")
    phone.page.evaluate(
        "document.getElementById('saved').textContent = 'not saved: the server cannot be reached, 3 waiting'"
    )
    phone.page.evaluate("document.querySelector('#candidate .details').textContent = 'words '.repeat(99)")
    assert bounding_boxes() == before
