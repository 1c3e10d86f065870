"""Every key of the contact sheet does what the help says, in a real browser with the real server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from artgen.locks import lock_folder
from artgen.runs.candidate import thumbnail_path
from artgen.runs.store import Run
from tests.curation.sheets import SheetTab

ARE_EMBEDDINGS_MISSING = (
    "fetch('/api/order?by=diverse').then((answer) => answer.json()).then((order) => order.wait)"
)


def count_columns(sheet: SheetTab) -> int:
    tops = [box[1] for box in sheet.cell_boxes().values()]
    return tops.count(min(tops))


@pytest.mark.parametrize("letters", ["arrows", "hjkl"])
def test_arrow_keys_move_the_focus(sheet: SheetTab, letters: str) -> None:
    names = ["ArrowLeft", "ArrowDown", "ArrowUp", "ArrowRight"] if letters == "arrows" else list("hjkl")
    left, down, up, right = names
    columns, focus_sequence = count_columns(sheet), []
    assert columns == 5
    for key in (right, right, left, left, left, down, down, up, "End", right, down, "Home", up):
        sheet.press(key)
        focus_sequence.append(sheet.focused_number)
    assert focus_sequence == [2, 3, 2, 1, 1, 1 + columns, 1 + 2 * columns, 1 + columns, 40, 40, 40, 1, 1]
    assert sheet.page.get_attribute("#grid", "aria-activedescendant") == "c1"
    sheet.press("PageDown")
    assert sheet.focused_number == 1 + 3 * columns
    box = sheet.cell_boxes()[sheet.focused_number]
    assert box[1] >= 32
    assert box[1] + box[3] <= 700 - 32
    sheet.press("PageUp")
    assert sheet.focused_number == 1


def test_p_x_and_u_move_to_the_next_undecided(sheet: SheetTab) -> None:
    sheet.press("p", "x", "p")
    assert sheet.focused_number == 4
    assert (sheet.with_class("kept"), sheet.with_class("rejected")) == ([1, 3], [2])
    assert sheet.text("#funnel") == "40 > 2"
    sheet.press("ArrowLeft", "u")  # 3; the next undecided is 4
    assert sheet.focused_number == 4
    assert sheet.label(3) == "3: Candidate 3, undecided"
    assert sheet.label(2) == "2: Candidate 2, rejected"
    sheet.press("Shift+P", "Shift+X", "Shift+U")
    assert sheet.focused_number == 4
    assert sheet.with_class("kept") == [1]
    sheet.press("p", "End", "p")  # around the end: 3 is undecided again
    assert sheet.focused_number == 3
    sheet.wait_until_saved()
    with Run.open(sheet.server.run) as run:
        assert [pick.index for pick in run.picks()] == [1, 4, 40]
        assert run.candidate(2).mark == "rejected"


def test_the_focus_stays_when_everything_is_decided(sheet: SheetTab) -> None:
    sheet.press("Control+a", "x", "Escape", "l", "p")
    assert sheet.focused_number == 2
    assert sheet.toast == "Everything shown here is decided."


def test_a_key_held_down_decides_once(sheet: SheetTab) -> None:
    for _ in range(5):
        sheet.page.keyboard.down("p")
    sheet.page.keyboard.up("p")
    assert sheet.with_class("kept") == [1]


def test_stars_do_not_move_the_focus(sheet: SheetTab) -> None:
    for count in (1, 2, 3, 4, 5):
        sheet.press(str(count))
        assert sheet.text("#c1 .stars") == "★" * count
    assert sheet.focused_number == 1
    sheet.press("0")
    assert sheet.text("#c1 .stars") == ""


@pytest.mark.slow
def test_undo_and_redo_over_a_hundred_actions(sheet: SheetTab) -> None:
    for _ in range(35):
        sheet.press("Shift+P", "3", "Shift+X", "ArrowRight")
    sheet.press("Home")
    labels = {number: sheet.label(number) for number in sheet.shown_numbers}
    sheet.wait_until_saved()
    for _ in range(105):
        sheet.press("Control+z")
    assert sheet.with_class("rejected") == sheet.with_class("kept") == []
    sheet.wait_until_saved()
    with Run.open(sheet.server.run) as run:
        assert all((one.mark, one.stars) == (None, 0) for one in run.candidates())
    assert sheet.focused_number == 1
    sheet.page.click("#redo")
    for number in range(14):
        sheet.press("Control+y" if number % 2 else "Control+Shift+z")
    sheet.wait_until_saved()
    sheet.press("Home")
    labels_redone = {number: sheet.label(number) for number in sheet.shown_numbers}
    assert {number: label for number, label in labels_redone.items() if number <= 5} == {
        number: label for number, label in labels.items() if number <= 5
    }
    with Run.open(sheet.server.run) as run:
        assert [one.mark for one in run.candidates()] == ["rejected"] * 5 + [None] * 35


def test_undo_moves_to_the_undone_candidate(sheet: SheetTab) -> None:
    sheet.press("p", "End", "Control+z")
    assert (sheet.focused_number, sheet.with_class("kept"), sheet.toast) == (1, [], "Undone: candidate 1.")
    sheet.press("End", "Control+y")
    assert (sheet.focused_number, sheet.with_class("kept")) == (1, [1])
    sheet.press("f", "ArrowDown", "Enter")  # undecided ones: 1 is not among them
    assert sheet.with_class("kept") == []
    sheet.press("End", "Control+z")
    assert sheet.focused_number == 1


def test_keys_act_on_one_candidate_unless_several_are_selected(sheet: SheetTab) -> None:
    sheet.press("Shift+ArrowRight", "Shift+ArrowDown")
    assert sheet.with_class("selected") == list(range(1, 8))
    assert sheet.text("#selected") == "7 selected"
    sheet.press("Shift+ArrowUp", "x")
    assert sheet.with_class("rejected") == [1, 2]
    assert sheet.toast == "2 candidates rejected."
    assert sheet.focused_number == 2
    sheet.press("Escape")
    assert sheet.page.is_hidden("#selected")
    sheet.press("p")
    assert sheet.with_class("kept") == [2]
    sheet.press("Control+Space", "Control+ArrowRight", "Control+ArrowRight", "Control+Space")
    assert sheet.with_class("selected") == [3, 5]
    sheet.press("ArrowRight")  # moving without Shift clears the selection
    assert sheet.with_class("selected") == []
    sheet.press("Control+a")
    assert sheet.text("#selected") == "40 selected"
    sheet.press("u", "2", "Escape", "Home")
    assert sheet.label(1) == "1: Candidate 1, undecided, 2 stars"
    sheet.press("Control+z", "Control+z")
    assert sheet.label(1) == "1: Candidate 1, rejected"


def test_loupe_and_100_percent(sheet: SheetTab) -> None:
    sheet.press(" ")
    assert sheet.page.get_attribute(".viewer", "aria-label") == "Loupe"
    sheet.press("ArrowRight", "p")  # 2 is kept, on to 3
    assert sheet.focused_number == 3
    assert sheet.text(".pane figcaption").startswith("3")
    sheet.press("h", "4", "x")
    assert sheet.focused_number == 3
    assert sheet.label(2) == "2: Candidate 2, rejected, 4 stars"
    sheet.press("Control+z")
    assert sheet.focused_number == 2
    assert sheet.text(".pane figcaption").startswith("2")
    sheet.press("End")
    assert sheet.focused_number == 40
    sheet.press("Escape")
    assert sheet.page.is_hidden(".viewer")
    assert sheet.page.evaluate("document.activeElement.id") == "grid"
    assert 40 in sheet.cell_boxes()
    sheet.press("z")
    sheet.page.wait_for_selector(".viewer.zoomed")
    sheet.press(" ")
    assert sheet.page.is_hidden(".viewer")


def test_compare_and_survey(sheet: SheetTab) -> None:
    def labels() -> list[str]:
        return [label.split()[0] for label in sheet.page.locator(".pane figcaption").all_text_contents()]

    sheet.press("c")
    assert labels() == ["1", "2"]
    sheet.press("ArrowRight", "p")
    assert (sheet.focused_number, sheet.with_class("kept")) == (2, [2])
    sheet.press("Shift+P")
    assert (sheet.with_class("kept"), sheet.with_class("rejected")) == ([2], [1])
    sheet.press("Escape", "Home", "Control+Space", "Control+ArrowDown", "Control+Space", "c")
    assert labels() == ["1", "6"]
    sheet.press("c", "Escape", "n")
    assert labels() == ["6", "7", "8", "9", "10", "11", "12", "13", "14"]
    sheet.press("l", "l", "Shift+P")
    assert sheet.with_class("kept") == [2, 8]
    assert sheet.with_class("rejected") == [1, 6, 7, 9, 10, 11, 12, 13, 14]
    assert sheet.toast == "Candidate 8 kept, 8 rejected."
    sheet.press("Control+z", "Escape")
    assert sheet.with_class("kept") == [2]
    sheet.press("Home", "Shift+ArrowRight", "Shift+ArrowRight", "n")
    assert labels() == ["1", "2", "3"]
    sheet.press("h", "x", "Escape")  # one frame, though three are selected
    assert sheet.with_class("rejected") == [1, 2]


def test_near_duplicates_are_folded(sheet: SheetTab) -> None:
    sheet.wait_until(
        lambda: not sheet.page.evaluate(ARE_EMBEDDINGS_MISSING), "embeddings", timeout_seconds=60
    )
    sheet.press("g")
    sheet.wait_until(lambda: bool(sheet.toast))
    assert sheet.toast == "3 near-duplicates folded. G unfolds them."
    assert sheet.shown_numbers[:3] == [1, 4, 5]
    assert (sheet.text("#c1 .folded"), sheet.text("#c11 .folded")) == ("+2", "+1")
    assert sheet.label(1) == "1: Candidate 1, undecided, 2 near-duplicates folded"
    sheet.press("p")
    assert (sheet.focused_number, sheet.with_class("kept")) == (4, [1])
    sheet.press("g")
    assert sheet.shown_numbers[:3] == [1, 2, 3]
    assert sheet.with_class("kept") == [1]
    sheet.press(
        "Home", "Shift+ArrowRight", "Shift+ArrowRight", "g"
    )  # a key must not act on hidden candidates
    sheet.wait_until(lambda: sheet.text("#selected") == "1 selected")
    sheet.press("x", "Escape", "g")
    sheet.wait_until(lambda: sheet.shown_numbers[:3] == [1, 2, 3])
    assert sheet.with_class("rejected") == [1]


def test_sort_by_similarity_and_back(sheet: SheetTab) -> None:
    sheet.press("l", "s")
    sheet.wait_until(lambda: sheet.text("#sort") == "More like 2")
    assert sheet.focused_number == 2
    assert set(sheet.shown_numbers[:3]) == {1, 2, 3}
    sheet.press("s")
    sheet.wait_until(lambda: sheet.text("#sort") == "Run order")
    assert (sheet.focused_number, sheet.shown_numbers[:4]) == (2, [1, 2, 3, 4])
    sheet.press("s")
    sheet.wait_until(lambda: sheet.text("#sort") == "More like 2")
    sheet.press("Escape")
    sheet.wait_until(lambda: sheet.text("#sort") == "Run order")


def test_title_and_alt_text(sheet: SheetTab) -> None:
    sheet.press("t")
    assert sheet.page.is_visible("#title")
    sheet.page.keyboard.type("xpu 5 Nocturne")  # letters in a field are letters
    sheet.press("Tab")
    sheet.page.keyboard.type("A dark field")
    sheet.press("Tab", "Tab", "Enter")
    assert sheet.page.is_hidden("#title")
    assert sheet.with_class("kept") == sheet.with_class("rejected") == []
    assert sheet.label(1) == "1: xpu 5 Nocturne, undecided"
    sheet.wait_until_saved()
    with Run.open(sheet.server.run) as run:
        assert (run.candidate(1).title, run.candidate(1).alt) == ("xpu 5 Nocturne", "A dark field")
    sheet.press("t", "Escape", "Control+z")
    assert sheet.label(1) == "1: Candidate 1, undecided"


def test_a_long_title_does_not_displace_the_details(sheet: SheetTab) -> None:
    sheet.press("t")
    sheet.page.keyboard.insert_text("\u05d0\u05d1 " * 60)
    sheet.press("Enter", "3")
    title_box, details_box = (
        sheet.page.locator(f"#candidate .{part}").bounding_box() for part in ("title", "details")
    )
    assert title_box["x"] + title_box["width"] <= details_box["x"]
    assert details_box["width"] > 250
    assert sheet.text("#candidate .details").startswith("seed 2017  \u00b7  undecided  \u00b7  3 stars")


def test_a_message_disappears_when_the_view_changes(sheet: SheetTab) -> None:
    sheet.press("Control+z" if sheet.page.is_disabled("#undo") else "Control+a")
    assert sheet.toast
    sheet.press(" ")
    assert sheet.toast == ""
    sheet.press("n", "Shift+P")
    caption_boxes = [caption.bounding_box() for caption in sheet.page.query_selector_all(".pane figcaption")]
    toast_box = sheet.page.locator("#toast").bounding_box()
    assert sheet.toast
    assert all(box["y"] >= toast_box["y"] + toast_box["height"] for box in caption_boxes)
    sheet.press("Escape")
    assert sheet.toast == ""


def test_information_about_a_candidate(sheet: SheetTab) -> None:
    sheet.press("i")
    assert sheet.text("#info h2") == "1: Candidate 1"
    details = sheet.text("#info dl")
    for text in ("2017, candidate 1", "96 × 96 px", "style.style", "great-wave", "style.strength", "0.31"):
        assert text in details
    assert sheet.page.locator("#info .stages:not(.neighbours) img").count() == 3
    sheet.page.wait_for_selector(".neighbours img")
    assert sheet.page.locator(".neighbours img").count() == 8
    sheet.page.click("#info summary")
    sheet.wait_until(lambda: 'title = "Abstracts"' in sheet.text("#info pre"))
    sheet.press("ArrowRight", "l")
    assert (sheet.text("#info h2"), sheet.focused_number) == ("3: Candidate 3", 3)
    sheet.press("i")
    assert sheet.page.is_hidden("#info")
    assert sheet.page.evaluate("document.activeElement.id") == "grid"


def test_filters_by_keys_and_mouse(sheet: SheetTab) -> None:
    sheet.press("p", "x", "4", "End")
    sheet.press("f")
    assert sheet.page.get_attribute("#filter", "aria-expanded") == "true"
    assert sheet.page.evaluate("document.activeElement.textContent") == "This round"
    sheet.press("ArrowDown", "j", "Enter")
    assert (sheet.text("#filter"), sheet.shown_numbers) == ("Kept", [1])
    sheet.press("f", "ArrowDown", " ")
    assert sheet.shown_numbers == [2]
    sheet.press("f", "4")
    assert (sheet.text("#filter"), sheet.shown_numbers) == ("4 stars or more", [3])
    sheet.press("f", "5")
    assert sheet.text("#empty") == "Nothing has five stars. 1 to 5 give stars."
    sheet.press(
        "p", "ArrowRight", " ", "c", "n", "i", "t", "1", "g"
    )  # there is nothing that they could act on
    sheet.page.click("#filter")
    sheet.page.click("#menu [role=menuitemradio]:has-text('Undecided')")
    assert sheet.shown_numbers[:2] == [3, 4]
    sheet.press("Home", "p")  # decided: it stays where it is until the filter is chosen again
    assert (sheet.shown_numbers[:2], sheet.focused_number) == ([3, 4], 4)
    sheet.press("f", "Enter")
    assert sheet.shown_numbers[0] == 4
    sheet.press("f", "Escape")
    assert sheet.page.is_hidden("#menu")
    assert sheet.page.evaluate("document.activeElement.id") == "grid"


def test_sorts_by_keys_and_mouse(sheet: SheetTab) -> None:
    sheet.press("o", "ArrowDown", "ArrowDown", "Enter")
    sheet.wait_until(lambda: sheet.text("#sort") == "Diverse first")
    assert sheet.shown_numbers != sorted(sheet.shown_numbers)
    assert sheet.focused_number == sheet.shown_numbers[0]
    sheet.page.click("#sort")
    sheet.page.click("#menu [role=menuitemradio]:has-text('Taste')")
    sheet.wait_until(lambda: "keep at least one" in sheet.toast)
    assert sheet.text("#sort") == "Diverse first"
    sheet.console_messages.clear()  # the browser reports the response 409
    sheet.press("o", "Home", "Enter", "Home")
    assert (sheet.text("#sort"), sheet.shown_numbers[0]) == ("Run order", 1)


def test_taste_reorders_only_unseen_candidates_and_gives_reasons(sheet: SheetTab) -> None:
    sheet.press("Home", "p", "x", "p", "x", "o", "End", "ArrowUp", "Enter")
    sheet.wait_until(lambda: sheet.text("#sort") == "Taste")
    visible = [number for number, box in sheet.cell_boxes().items() if box[1] < 668]
    order = [number for number in sheet.shown_numbers if number in visible]
    assert order[0] > 4  # the undecided come first
    sheet.wait_until(lambda: sheet.page.locator("#reasons img").count() > 0)
    assert {int(label.split(",")[0]) for label in reason_labels(sheet)} <= {1, 3}
    for key in ("p", "x", "p", "x", "p"):
        sheet.press(key)
    sheet.wait_until_saved()
    sheet.page.wait_for_timeout(600)  # the order is requested again
    sheet.press("Home")
    assert [number for number in sheet.shown_numbers if number in visible] == order


def reason_labels(sheet: SheetTab) -> list[str]:
    texts: list[str] = sheet.page.evaluate(
        "[...document.querySelectorAll('#reasons img')].map((one) => one.alt)"
    )
    return texts


def test_the_next_round_and_a_proposal(sheet: SheetTab) -> None:
    sheet.press("Shift+R")
    assert sheet.toast == "Nothing is kept yet: P keeps the focused candidate."
    sheet.press("p", "p", "p", "p", "x", "Shift+R")
    assert sheet.text("#round h2") == "Start round 2?"
    assert sheet.text("#round p").startswith(
        "4 kept candidates advance, undecided again. 35 undecided and 1 rejected stay behind"
    )
    sheet.press("Escape")
    assert sheet.text("#funnel") == "40 > 4"
    sheet.press("Shift+R", "Enter")
    assert (sheet.text("#funnel"), sheet.shown_numbers, sheet.focused_number) == (
        "40 > 4 > 0",
        [1, 2, 3, 4],
        1,
    )
    assert sheet.page.is_hidden("#propose")
    sheet.press("p", "p", "p", "Shift+R", "Enter")
    assert (sheet.text("#funnel"), sheet.shown_numbers) == ("40 > 4 > 3 > 0", [1, 2, 3])
    sheet.press("f", "End", "ArrowUp", "Enter")  # out of play: kept, it is in play again
    assert sheet.shown_numbers[:2] == [4, 5]
    assert sheet.with_class("out-of-play") == sheet.shown_numbers
    assert sheet.label(4) == "4: Candidate 4, out of play after round 2"
    assert sheet.label(5) == "5: Candidate 5, rejected, out of play after round 1"
    sheet.press("Home", "p")
    assert sheet.label(4) == "4: Candidate 4, kept"
    assert sheet.text("#funnel") == "40 > 4 > 4 > 1"
    sheet.press("f", "Home", "Enter", "Home", "p", "p").wait_until_saved()
    sheet.page.click("#propose")
    sheet.page.fill("#proposal input", "2")
    sheet.press("Enter")
    sheet.wait_until(lambda: sheet.text("#filter") == "Proposed")
    assert sheet.text("#selected") == "2 selected"
    assert sheet.with_class("selected") == sheet.shown_numbers
    sheet.press("Escape")
    for funnel in ("40 > 4 > 4 > 2", "40 > 4 > 4 > 1", "40 > 4 > 3 > 0", "40 > 4 > 3", "40 > 4 > 2"):
        sheet.press("Control+z")
        assert sheet.text("#funnel") == funnel


@contextmanager
def without_drawing(sheet: SheetTab) -> Iterator[Run]:
    """Prevent that queued variations are drawn, and remove them from the queue at the end."""
    with lock_folder(sheet.server.run), Run.open(sheet.server.run) as run:
        yield run
        for number, _ in run.queued_variations():
            run.unqueue_variation(number)


def test_variations_are_queued_and_appear_in_place(sheet: SheetTab) -> None:
    with without_drawing(sheet) as run:
        sheet.press("o", "ArrowDown", "Enter", "l", "v")
        sheet.wait_until(lambda: sheet.toast == "4 variations of candidate 2 queued.")
        queued = [number for number, _ in run.queued_variations()]
        assert len(queued) == 4
        assert sheet.shown_numbers[:7] == [1, 2, *queued, 3]
        assert sheet.with_class("queued") == queued
        assert sheet.text("#queue") == "4 queued"
        boxes = sheet.cell_boxes()
        for number in queued:
            shutil.copyfile(run.candidate(2).thumbnail, thumbnail_path(run.folder, number))
            run.add_candidate(replace(run.candidate(2), index=number, variation_of=2))
        sheet.wait_until(lambda: not sheet.with_class("queued"))
        assert sheet.cell_boxes() == boxes
        assert sheet.text("#queue") == ""
        assert sheet.label(queued[0]) == f"{queued[0]}: Candidate 2, undecided, variation of 2"
        sheet.press("o", "Home", "Enter")
        assert sheet.shown_numbers[:4] == [1, 2, 3, 4]
        for number in queued:
            run.remove_candidate(number)


def test_larger_and_smaller(sheet: SheetTab) -> None:
    columns = count_columns(sheet)
    sheet.press("+")
    assert count_columns(sheet) < columns
    larger_columns = count_columns(sheet)
    sheet.page.reload()
    sheet.wait()
    assert count_columns(sheet) == larger_columns
    sheet.press("-", "-")
    assert count_columns(sheet) > columns
    gaps = sorted({round(box[0]) for box in sheet.cell_boxes().values()})
    width = next(iter(sheet.cell_boxes().values()))[2]
    assert all(after - before == round(width) + 4 for before, after in pairwise(gaps))


def test_help_and_key_combinations_of_the_browser(sheet: SheetTab) -> None:
    sheet.press("?")
    assert sheet.page.is_visible("#help")
    sheet.press("p", "x", "ArrowRight", "Escape")
    assert sheet.page.is_hidden("#help")
    sheet.press("Alt+p", "Control+p", "Meta+x", "Control+1")
    assert sheet.with_class("kept") == sheet.with_class("rejected") == []
    assert sheet.text("#c1 .stars") == ""


def test_every_key_in_the_help_is_handled(sheet: SheetTab) -> None:
    with without_drawing(sheet) as run:
        handled: Any = sheet.page.evaluate(
            """() => [...document.querySelectorAll("#help kbd")].map((one) => one.textContent)
              .filter((words) => /^[A-Z?]$/.test(words)).map((words) => {
                const event = new KeyboardEvent("keydown",
                  { key: words.toLowerCase(), shiftKey: words === "R",
                    ctrlKey: words === "Y" || words === "A", bubbles: true, cancelable: true });
                document.getElementById("grid").dispatchEvent(event);
                document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
                document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
                return [words, event.defaultPrevented];
              })"""
        )
        sheet.wait_until(lambda: len(run.queued_variations()) == 4)
    assert [label for label, is_handled in handled if not is_handled] == []
    assert len(handled) > 15
