"""Accessibility: axe-core finds no violations, and the keyboard alone reaches everything."""

from __future__ import annotations

import pytest

from tests.curation.sheets import SheetTab


@pytest.mark.parametrize(
    "keys",
    ["", "p x 3 Shift+ArrowRight", " ", "c", "n"],
    ids=["sheet", "marked", "loupe", "compare", "survey"],
)
def test_axe_finds_nothing_on_the_sheet(sheet: SheetTab, keys: str) -> None:
    sheet.press(*(keys.split() or keys))
    assert sheet.axe_violations() == []
    sheet.press("Escape", "Escape")


def test_axe_finds_nothing_in_menus_and_dialogs(sheet: SheetTab) -> None:
    sheet.press("Shift+P")
    for key, dialog in (
        ("f", "menu"),
        ("o", "menu"),
        ("t", "title"),
        ("i", "info"),
        ("Shift+R", "round"),
        ("?", "help"),
    ):
        sheet.press(key)
        assert sheet.page.is_visible(f"#{dialog}")
        assert sheet.axe_violations() == [], dialog
        sheet.press("Escape")
        assert sheet.page.evaluate("document.activeElement.id") == "grid"
    sheet.page.evaluate("document.getElementById('proposal').showModal()")
    assert sheet.axe_violations() == []
    sheet.press("Escape")


def test_tab_reaches_every_button_and_shows_where_it_is(sheet: SheetTab) -> None:
    sheet.press("p")
    outline_widths: dict[str, str] = {}
    for _ in range(20):
        sheet.press("Tab")
        name, outline = sheet.page.evaluate(
            "[document.activeElement.id, getComputedStyle(document.activeElement).outlineWidth]"
        )
        if name in outline_widths:
            break
        outline_widths[name] = outline
    buttons = sheet.page.evaluate(
        "[...document.querySelectorAll('header button, footer button')]"
        ".filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled)"
        ".map((one) => one.id)"
    )
    assert set(buttons) <= set(outline_widths)
    assert {outline_widths[name] for name in buttons} == {"2px"}
    sheet.page.focus("#filter")
    sheet.press("Enter")
    assert sheet.page.is_visible("#menu")
    sheet.press("Escape")
    sheet.page.focus("#reject")
    sheet.press(" ")  # on a button, Space presses it
    assert sheet.with_class("rejected") == [2]
    assert sheet.page.is_hidden(".viewer")


def test_an_element_focused_after_a_menu_closed_keeps_the_focus(sheet: SheetTab) -> None:
    sheet.press("f")
    sheet.page.evaluate("document.getElementById('menu').close(); document.getElementById('reject').focus()")
    sheet.wait_until(
        lambda: sheet.page.get_attribute("#filter", "aria-expanded") == "false"
    )  # the page has noticed
    sheet.press(" ")
    assert sheet.with_class("rejected") == [1]


def test_a_screen_reader_gets_the_position(sheet: SheetTab) -> None:
    sheet.press("End", "p", "h", "x")
    cell = sheet.page.locator("#" + str(sheet.page.get_attribute("#grid", "aria-activedescendant")))
    assert cell.get_attribute("role") == "option"
    assert (cell.get_attribute("aria-posinset"), cell.get_attribute("aria-setsize")) == (
        str(sheet.focused_number),
        "40",
    )
    sheet.press("Home")
    sheet.page.evaluate(
        "document.getElementById('scroller').scrollTop = 1e6"
    )  # by wheel: the focus is far away
    sheet.wait_until(lambda: 40 in sheet.shown_numbers)
    assert sheet.page.locator("#c1").count() == 1
    assert "40 candidates, 1 kept" in sheet.text("#funnel-text")


def test_the_focus_outline_is_visible_on_white(sheet: SheetTab) -> None:
    style = sheet.page.evaluate(
        "(({ outline, outlineOffset }) => outline + ' ' + outlineOffset)"
        "(getComputedStyle(document.querySelector('.cell.focused')))"
    )
    assert style == "rgb(255, 255, 255) solid 2px 1px"
    assert (
        sheet.page.evaluate("getComputedStyle(document.body.parentNode).backgroundColor") == "rgb(43, 43, 43)"
    )
    assert sheet.page.evaluate("document.querySelector('header').offsetHeight") == 32
    assert sheet.page.evaluate("getComputedStyle(document.querySelector('.cell img')).objectFit") == "contain"
