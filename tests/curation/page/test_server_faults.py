"""The sheet when things go wrong: two tabs, reloads, a killed server, new candidates, hostile titles."""

from __future__ import annotations

import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from artgen.runs.candidate import thumbnail_path
from artgen.runs.store import DecisionChange, Run
from tests.curation.served import CurateProcess
from tests.curation.sheets import SheetTab, copy_run


@pytest.fixture
def other_tab(sheet: SheetTab) -> Iterator[SheetTab]:
    """Another tab of the same browser."""
    yield (tab := SheetTab(sheet.page.context.new_page(), sheet.server).open())
    assert tab.console_messages == []
    tab.page.close()


def test_two_tabs_agree(sheet: SheetTab, other_tab: SheetTab) -> None:
    sheet.press("p", "x")
    other_tab.wait_until(
        lambda: (other_tab.with_class("kept"), other_tab.with_class("rejected")) == ([1], [2])
    )
    assert (other_tab.focused_number, other_tab.text("#funnel")) == (1, "40 > 1")
    other_tab.press("4", "Shift+X")  # replaces the other tab's decision
    sheet.wait_until(lambda: sheet.label(1) == "1: Candidate 1, rejected, 4 stars")
    sheet.press("Control+z")  # the last action, whichever tab it was in
    other_tab.wait_until(lambda: other_tab.with_class("kept") == [1])
    sheet.wait_until(lambda: sheet.focused_number == 1)
    other_tab.press("Control+z", "Control+z", "Control+z")
    sheet.wait_until(
        lambda: sheet.label(1) == "1: Candidate 1, undecided" and sheet.with_class("rejected") == []
    )
    assert other_tab.page.is_disabled("#undo") == sheet.page.is_disabled("#undo")


@pytest.fixture
def fresh_sheet(sheet_run: Path, tmp_path: Path, chromium: Any) -> Iterator[SheetTab]:
    """The sheet of a run, with a server and a window, that no other test has used."""
    server = CurateProcess(copy_run(sheet_run, tmp_path))
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    yield SheetTab(context.new_page(), server).open(server.url)
    context.close()
    server.kill()


def test_decisions_and_candidates_of_other_processes_appear(fresh_sheet: SheetTab) -> None:
    sheet = fresh_sheet
    sheet.press("End", "ArrowUp", "ArrowUp")
    sheet.page.wait_for_timeout(100)
    boxes, focus = sheet.cell_boxes(), sheet.focused_number
    scroll = sheet.page.evaluate("document.getElementById('scroller').scrollTop")
    with Run.open(sheet.server.run) as run:
        run.pick(28, True)
        try:
            for number in (51, 50, 52):
                shutil.copyfile(run.candidate(1).thumbnail, thumbnail_path(run.folder, number))
                run.add_candidate(replace(run.candidate(1), index=number, caption=f"</script>{number}"))
                sheet.wait_until(lambda number=number: number in sheet.shown_numbers)
            sheet.wait_until(lambda: sheet.with_class("kept") == [28])
            sheet.wait_until(lambda: sheet.text("#funnel") == "43 > 1")
            boxes_after = sheet.cell_boxes()
            assert {number: boxes_after[number] for number in boxes} == boxes
            assert sheet.focused_number == focus
            assert sheet.page.evaluate("document.getElementById('scroller').scrollTop") == scroll
            assert sheet.shown_numbers[-4:] == [40, 51, 50, 52]  # in the order of their arrival
            sheet.press("End", "Shift+P")
            assert sheet.with_class("kept") == [28, 52]
            sheet.wait_until_saved()
            assert run.candidate(52).mark == "kept"
        finally:
            for number in (50, 51, 52):
                run.remove_candidate(number)


def test_a_reload_loses_neither_decisions_nor_the_view(sheet: SheetTab) -> None:
    sheet.press(*"pxpxpxpx", "f", "ArrowDown", "Enter", "ArrowDown", "p", "Shift+X", "ArrowRight")
    focus, rejected = sheet.focused_number, sheet.with_class("rejected")
    sheet.page.reload()  # before everything is sent
    sheet.wait().wait_until_saved()
    assert (sheet.focused_number, sheet.text("#filter")) == (focus, "Undecided")
    sheet.press("f", "ArrowDown", "ArrowDown", "Enter")
    assert sheet.with_class("rejected") == sorted([2, 4, 6, 8, *rejected])
    with Run.open(sheet.server.run) as run:
        assert [
            candidate.index for candidate in run.candidates() if candidate.mark == "rejected"
        ] == sheet.shown_numbers


def test_decisions_record_the_view(sheet: SheetTab) -> None:
    import sqlite3

    sheet.press("p", " ", "x", "Escape", "c", "p", "Escape").wait_until_saved()
    with sqlite3.connect(sheet.server.run / "run.db") as database:
        rows = database.execute("SELECT who, view, candidate, value FROM decisions ORDER BY id DESC LIMIT 3")
        decisions = [(view, candidate, value) for _, view, candidate, value in rows]
    assert decisions == [("compare", 3, '"kept"'), ("loupe run", 2, '"rejected"'), ("sheet run", 1, '"kept"')]


def test_decisions_survive_kill_9_of_the_server(sheet_run: Path, tmp_path: Path, chromium: Any) -> None:
    folder = copy_run(sheet_run, tmp_path)
    first = CurateProcess(folder)
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    try:
        sheet = SheetTab(context.new_page(), first).open(first.url)
        sheet.press("p", "x", "p", "5").wait_until_saved()
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        with Run.open(folder) as run:  # all that was said to be saved is there
            assert [candidate.mark for candidate in run.candidates()[:4]] == [
                "kept",
                "rejected",
                "kept",
                None,
            ]
            assert run.candidate(4).stars == 5
        sheet.wait_until(lambda: "the server cannot be reached" in sheet.toast.lower())
        sheet.press("x", "x", "4", "Control+z", "l", "p")
        assert (sheet.with_class("kept"), sheet.with_class("rejected")) == ([1, 3, 7], [2, 4, 5])
        sheet.wait_until(
            lambda: sheet.save_status == "not saved: the server cannot be reached, 5 decisions waiting"
        )
        second = CurateProcess(folder, "--port", str(first.port))
        other_tab = SheetTab(context.new_page(), second).open(
            second.url
        )  # another tab sends the waiting decisions
        try:
            sheet.wait_until_saved()
            other_tab.wait_until_saved()
            for tab in (sheet, other_tab):
                tab.wait_until(
                    lambda tab=tab: (
                        (tab.with_class("kept"), tab.with_class("rejected")) == ([1, 3, 7], [2, 4, 5])
                    )
                )
                assert tab.label(6) == "6: Candidate 6, undecided"
            with Run.open(folder) as run:
                marks = [candidate.mark for candidate in run.candidates()[:8]]
                assert marks == ["kept", "rejected", "kept", "rejected", "rejected", None, "kept", None]
                assert run.decisions.history.undo_count == 8 - 1  # no action twice
            sheet.press("Control+z").wait_until_saved()
            other_tab.wait_until(lambda: other_tab.with_class("kept") == [1, 3])
        finally:
            second.kill()
    finally:
        first.kill()
        context.close()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
def test_a_full_disk_is_reported(fresh_sheet: SheetTab) -> None:
    sheet, pid = fresh_sheet, fresh_sheet.server.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, limits[1]))
    sheet.press("p")
    problem = "decisions.jsonl: could not be written (File too large)"
    sheet.wait_until(lambda: sheet.save_status == f"not saved: {problem}, 1 decision waiting")
    assert "artgen curate" not in sheet.page.get_attribute("#saved", "title")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    sheet.wait_until_saved()
    assert sheet.with_class("kept") == [1]
    with Run.open(sheet.server.run) as run:
        assert [pick.index for pick in run.picks()] == [1]


FAILING_FETCH_SCRIPT = """() => {
  const later = setTimeout, ask = fetch;
  window.tries = 0;
  window.setTimeout = (act, wait) => later(act, wait / 20);
  window.fetch = (path, settings) => {
    if (path !== "/api/decisions" || !settings.body.includes('"kept"')) return ask(path, settings);
    window.tries += 1;
    return Promise.resolve(Response.json({ error: "a bug of artgen: KeyError()" }, { status: 500 }));
  };
}"""


def test_a_failing_decision_does_not_block_the_others(sheet: SheetTab) -> None:
    sheet.page.evaluate(FAILING_FETCH_SCRIPT)
    sheet.press("p", "x")
    sheet.wait_until(lambda: sheet.page.evaluate("tries") == 5 and sheet.save_status == "saved")
    assert (sheet.with_class("kept"), sheet.with_class("rejected")) == ([], [2])


@pytest.mark.slow
def test_a_restarted_server_is_distinguished_from_a_stopped_one(fresh_sheet: SheetTab) -> None:
    sheet, first = fresh_sheet, fresh_sheet.server
    first.kill()
    sheet.wait_until(lambda: sheet.save_status == "the server cannot be reached")
    assert f"--port {first.port}" in sheet.page.get_attribute("#saved", "title")
    second = CurateProcess(first.run, "--port", str(first.port))
    try:
        sheet.wait_until(lambda: "open the address it printed" in sheet.save_status)
        assert "--port" not in sheet.page.get_attribute("#saved", "title")
        SheetTab(sheet.page.context.new_page(), second).open(
            second.url
        )  # another tab of this browser signs in
        sheet.wait_until_saved()
    finally:
        second.kill()


def test_why_variations_are_not_drawn_stays_in_the_header(fresh_sheet: SheetTab) -> None:
    sheet = fresh_sheet
    before = sheet.page.locator("#filter").bounding_box()
    recipe = sheet.server.run / "recipe.toml"
    recipe_text = recipe.read_text("utf-8")
    recipe.write_text("not [ toml")
    sheet.press("v")
    sheet.wait_until(lambda: "recipe.toml:1:5: not TOML" in sheet.text("#queue"), timeout_seconds=60)
    assert sheet.text("#queue") == sheet.page.get_attribute(
        "#queue", "title"
    )  # the tooltip shows the part that is cut off
    assert sheet.page.locator("#filter").bounding_box() == before
    recipe.write_text(recipe_text, "utf-8")
    sheet.press("v")
    sheet.wait_until(lambda: "queued" in sheet.text("#queue"))  # a new request removes the message
    assert sheet.page.locator("#filter").bounding_box() == before


def test_a_missing_thumbnail_is_an_empty_frame(fresh_sheet: SheetTab) -> None:
    sheet = fresh_sheet
    thumbnail_path(sheet.server.run, 1).unlink()
    sheet.open()
    sheet.wait_until(lambda: sheet.page.locator("#c1 img").count() == 0)
    style = "getComputedStyle(document.querySelector('#c1 .picture')).borderTopWidth"
    assert sheet.page.evaluate(style) == "1px"
    assert sheet.page.locator("#c2 img").count() == 1


@pytest.mark.slow
def test_unsent_decisions_survive_closing_the_page(sheet_run: Path, tmp_path: Path, chromium: Any) -> None:
    folder = copy_run(sheet_run, tmp_path)
    first = CurateProcess(folder)
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    try:
        sheet = SheetTab(context.new_page(), first).open(first.url)
        first.kill()
        sheet.press("p", "x")
        sheet.page.close()
        second = CurateProcess(folder, "--port", str(first.port))
        try:
            reopened = SheetTab(context.new_page(), second).open(second.url)
            assert (reopened.with_class("kept"), reopened.with_class("rejected")) == ([1], [2])
            reopened.wait_until_saved()
            with Run.open(folder) as run:
                assert [candidate.mark for candidate in run.candidates()[:3]] == ["kept", "rejected", None]
            assert (
                reopened.page.evaluate("Object.keys(localStorage).filter((key) => key.includes('unsent'))")
                == []
            )
        finally:
            second.kill()
    finally:
        first.kill()
        context.close()


def test_hostile_text_is_shown_as_text(finished_run: Callable[..., Path], chromium: Any) -> None:
    hostile_text = (
        "<img src=x onerror=\"document.title='no'\"><script>alert(1)</script>'&amp; {{ 1 }} \u2028 é"
    )
    folder = finished_run(shapes=((96, 64), (64, 96), (96, 96)), title=hostile_text, caption=hostile_text)
    with Run.open(folder) as run:
        run.decisions.decide(
            [DecisionChange(1, "title", hostile_text), DecisionChange(2, "alt", hostile_text)],
            author="eve",
            view="command",
        )
    server, context = CurateProcess(folder), chromium.new_context(viewport={"width": 1000, "height": 700})
    try:
        sheet = SheetTab(context.new_page(), server).open(server.url)
        assert sheet.text("h1") == hostile_text
        assert hostile_text in sheet.label(1)
        assert hostile_text in sheet.text("#candidate .title")
        sheet.press("l", "i")
        assert hostile_text in sheet.text("#info")
        sheet.press("i", "t")
        assert sheet.page.input_value("#title textarea") == hostile_text
        sheet.press("Escape", "h", "n")
        assert hostile_text in sheet.text(".pane figcaption")
        assert sheet.page.title() == f"{hostile_text}: contact sheet"
        assert sheet.page.locator("img[src=x]").count() == 0
        assert sheet.console_messages == []
    finally:
        context.close()
        server.kill()


def test_candidates_appear_in_an_empty_run(finished_run: Callable[..., Path], chromium: Any) -> None:
    folder = finished_run()
    with Run.open(folder) as run:
        candidates = run.candidates()
        for candidate in candidates:
            run.remove_candidate(candidate.index)
        server, context = CurateProcess(folder), chromium.new_context()
        try:
            sheet = SheetTab(context.new_page(), server).open(server.url)
            assert sheet.text("#empty").startswith("No candidates yet.")
            sheet.press("ArrowRight", "p", " ", "c", "n", "s", "v", "t", "i", "Control+a", "Escape")
            for candidate in candidates[:2]:
                run.add_candidate(candidate)
            sheet.wait_until(lambda: sheet.shown_numbers == [1, 2])
            assert sheet.focused_number == 1
            assert sheet.page.is_hidden("#empty")
            assert sheet.console_messages == []
        finally:
            context.close()
            server.kill()


@pytest.mark.slow
def test_no_decision_shown_as_saved_is_lost_whenever_the_server_dies(
    sheet_run: Path, tmp_path: Path, chromium: Any
) -> None:
    folder = copy_run(sheet_run, tmp_path)
    server = CurateProcess(folder)
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    sheet = SheetTab(context.new_page(), server).open(server.url)
    try:
        for delay in (0.0, 0.003, 0.01, 0.03, 0.1):
            sheet.press("Home", *"xpxpxpxpxp"[: 6 + int(delay * 40)])
            time.sleep(delay)
            server.kill()
            sheet.press("Shift+P", "3", "ArrowRight")
            kept, rejected = sheet.with_class("kept"), sheet.with_class("rejected")
            server = CurateProcess(folder, "--port", str(server.port))
            SheetTab(context.new_page(), server).open(server.url).wait_until_saved().page.close()
            sheet.wait_until_saved()
            assert (sheet.with_class("kept"), sheet.with_class("rejected")) == (kept, rejected)
            with Run.open(folder) as run:
                marks = {candidate.index: candidate.mark for candidate in run.candidates()}
            assert [
                number for number, mark in marks.items() if mark == "kept" and number in sheet.shown_numbers
            ] == kept
            assert [
                n for n, mark in marks.items() if mark == "rejected" and n in sheet.shown_numbers
            ] == rejected
    finally:
        server.kill()
        context.close()


@pytest.mark.slow
def test_variations_are_drawn_and_appear_in_place(sampled: Path, chromium: Any) -> None:
    (folder,) = (sampled / "runs").glob("tiny-*")
    server = CurateProcess(folder)
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    try:
        sheet = SheetTab(context.new_page(), server).open(server.url)
        sheet.press("o", "ArrowDown", "Enter", "l", "v")  # by seed: next to their parent
        sheet.wait_until(lambda: sheet.toast == "4 variations of candidate 2 queued.")
        sheet.wait_until(lambda: not sheet.with_class("queued"), timeout_seconds=60)
        assert (sheet.focused_number, sheet.shown_numbers[:6]) == (
            2,
            [1, 2, 100_001, 100_002, 100_003, 100_004],
        )
        sheet.press("ArrowRight", "Space")
        sheet.wait_until(
            lambda: sheet.page.evaluate("document.querySelector('.viewer .pane img')?.naturalWidth > 0")
        )
        sheet.press("p")
        sheet.wait_until_saved()
        assert sheet.console_messages == []
    finally:
        context.close()
        server.kill()
    with Run.open(folder) as run:
        assert [candidate.index for candidate in run.picks()] == [100_001]
        assert not run.queued_variations()
