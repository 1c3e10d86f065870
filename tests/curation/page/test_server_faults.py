"""The sheet and its server: two tabs, a reload, kill -9, arrivals, and titles that mean harm."""

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

from artgen.runs.candidate import thumbnail_file
from artgen.runs.store import Change, Run
from tests.curation.served import Served
from tests.curation.sheets import Sheet, copied


@pytest.fixture
def other(sheet: Sheet) -> Iterator[Sheet]:
    """Another tab of the same browser."""
    yield (tab := Sheet(sheet.page.context.new_page(), sheet.served).open())
    assert tab.complaints == []
    tab.page.close()


def test_two_tabs_agree(sheet: Sheet, other: Sheet) -> None:
    sheet.press("p", "x")
    other.until(lambda: (other.with_class("kept"), other.with_class("rejected")) == ([1], [2]))
    assert (other.focus, other.text("#funnel")) == (1, "40 > 1")
    other.press("4", "Shift+X")  # over the other tab's
    sheet.until(lambda: sheet.words(1) == "1: Candidate 1, rejected, 4 stars")
    sheet.press("Control+z")  # what was done last, wherever
    other.until(lambda: other.with_class("kept") == [1])
    sheet.until(lambda: sheet.focus == 1)
    other.press("Control+z", "Control+z", "Control+z")
    sheet.until(lambda: sheet.words(1) == "1: Candidate 1, undecided" and sheet.with_class("rejected") == [])
    assert other.page.is_disabled("#undo") == sheet.page.is_disabled("#undo")


@pytest.fixture
def own_sheet(sheet_run: Path, tmp_path: Path, chromium: Any) -> Iterator[Sheet]:
    """A run, a server and a window that no other test has touched."""
    server = Served(copied(sheet_run, tmp_path))
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    yield Sheet(context.new_page(), server).open(server.url)
    context.close()
    server.end()


def test_other_processes_decide_and_draw_too(own_sheet: Sheet) -> None:
    sheet = own_sheet
    sheet.press("End", "ArrowUp", "ArrowUp")
    sheet.page.wait_for_timeout(100)
    boxes, focus = sheet.boxes(), sheet.focus
    scroll = sheet.page.evaluate("document.getElementById('scroller').scrollTop")
    with Run.open(sheet.served.run) as run:
        run.pick(28, True)
        try:
            for number in (51, 50, 52):
                shutil.copyfile(run.candidate(1).thumbnail, thumbnail_file(run.folder, number))
                run.add(replace(run.candidate(1), index=number, caption=f"</script>{number}"))
                sheet.until(lambda number=number: number in sheet.numbers)
            sheet.until(lambda: sheet.with_class("kept") == [28])
            sheet.until(lambda: sheet.text("#funnel") == "43 > 1")
            now = sheet.boxes()
            assert {number: now[number] for number in boxes} == boxes
            assert sheet.focus == focus
            assert sheet.page.evaluate("document.getElementById('scroller').scrollTop") == scroll
            assert sheet.numbers[-4:] == [40, 51, 50, 52]  # as they came
            sheet.press("End", "Shift+P")
            assert sheet.with_class("kept") == [28, 52]
            sheet.until_saved()
            assert run.candidate(52).mark == "kept"
        finally:
            for number in (50, 51, 52):
                run.remove(number)


def test_a_reload_in_the_middle_loses_nothing_and_nobodys_place(sheet: Sheet) -> None:
    sheet.press(*"pxpxpxpx", "f", "ArrowDown", "Enter", "ArrowDown", "p", "Shift+X", "ArrowRight")
    focus, rejected = sheet.focus, sheet.with_class("rejected")
    sheet.page.reload()  # some of it is not sent yet
    sheet.wait().until_saved()
    assert (sheet.focus, sheet.text("#filter")) == (focus, "Undecided")
    sheet.press("f", "ArrowDown", "ArrowDown", "Enter")
    assert sheet.with_class("rejected") == sorted([2, 4, 6, 8, *rejected])
    with Run.open(sheet.served.run) as run:
        assert [one.index for one in run.candidates() if one.mark == "rejected"] == sheet.numbers


def test_decisions_tell_who_saw_what(sheet: Sheet) -> None:
    import sqlite3

    sheet.press("p", " ", "x", "Escape", "c", "p", "Escape").until_saved()
    with sqlite3.connect(sheet.served.run / "run.db") as database:
        rows = database.execute("SELECT who, view, candidate, value FROM decisions ORDER BY id DESC LIMIT 3")
        seen = [(view, candidate, value) for _, view, candidate, value in rows]
    assert seen == [("compare", 3, '"kept"'), ("loupe run", 2, '"rejected"'), ("sheet run", 1, '"kept"')]


def test_kill_9_in_the_middle(sheet_run: Path, tmp_path: Path, chromium: Any) -> None:
    folder = copied(sheet_run, tmp_path)
    first = Served(folder)
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    try:
        sheet = Sheet(context.new_page(), first).open(first.url)
        sheet.press("p", "x", "p", "5").until_saved()
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        with Run.open(folder) as run:  # all that was said to be saved is there
            assert [one.mark for one in run.candidates()[:4]] == ["kept", "rejected", "kept", None]
            assert run.candidate(4).stars == 5
        sheet.until(lambda: "the server cannot be reached" in sheet.toast.lower())
        sheet.press("x", "x", "4", "Control+z", "l", "p")
        assert (sheet.with_class("kept"), sheet.with_class("rejected")) == ([1, 3, 7], [2, 4, 5])
        sheet.until(lambda: sheet.saved == "not saved: the server cannot be reached, 5 decisions waiting")
        second = Served(folder, "--port", str(first.port))
        other = Sheet(context.new_page(), second).open(second.url)  # another tab takes over what waits
        try:
            sheet.until_saved()
            other.until_saved()
            for tab in (sheet, other):
                tab.until(
                    lambda tab=tab: (
                        (tab.with_class("kept"), tab.with_class("rejected")) == ([1, 3, 7], [2, 4, 5])
                    )
                )
                assert tab.words(6) == "6: Candidate 6, undecided"
            with Run.open(folder) as run:
                marks = [one.mark for one in run.candidates()[:8]]
                assert marks == ["kept", "rejected", "kept", "rejected", "rejected", None, "kept", None]
                assert run.undoable == 8 - 1  # nothing twice
            sheet.press("Control+z").until_saved()
            other.until(lambda: other.with_class("kept") == [1, 3])
        finally:
            second.end()
    finally:
        first.end()
        context.close()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
def test_a_disk_that_takes_no_more_is_told_in_its_words(own_sheet: Sheet) -> None:
    sheet, server = own_sheet, own_sheet.served.process.pid
    limits = resource.prlimit(server, resource.RLIMIT_FSIZE)
    resource.prlimit(server, resource.RLIMIT_FSIZE, (0, limits[1]))
    sheet.press("p")
    words = "decisions.jsonl: could not be written (File too large)"
    sheet.until(lambda: sheet.saved == f"not saved: {words}, 1 decision waiting")
    assert "artgen curate" not in sheet.page.get_attribute("#saved", "title")
    resource.prlimit(server, resource.RLIMIT_FSIZE, limits)
    sheet.until_saved()
    assert sheet.with_class("kept") == [1]
    with Run.open(sheet.served.run) as run:
        assert [pick.index for pick in run.picks()] == [1]


FAILING = """() => {
  const later = setTimeout, ask = fetch;
  window.tries = 0;
  window.setTimeout = (act, wait) => later(act, wait / 20);
  window.fetch = (path, settings) => {
    if (path !== "/api/decisions" || !settings.body.includes('"kept"')) return ask(path, settings);
    window.tries += 1;
    return Promise.resolve(Response.json({ error: "a bug of artgen: KeyError()" }, { status: 500 }));
  };
}"""


def test_what_the_server_fails_at_does_not_keep_back_the_rest(sheet: Sheet) -> None:
    sheet.page.evaluate(FAILING)
    sheet.press("p", "x")
    sheet.until(lambda: sheet.page.evaluate("tries") == 5 and sheet.saved == "saved")
    assert (sheet.with_class("kept"), sheet.with_class("rejected")) == ([], [2])


@pytest.mark.slow
def test_a_server_that_was_started_anew_is_told_from_one_that_is_gone(own_sheet: Sheet) -> None:
    sheet, first = own_sheet, own_sheet.served
    first.end()
    sheet.until(lambda: sheet.saved == "the server cannot be reached")
    assert f"--port {first.port}" in sheet.page.get_attribute("#saved", "title")
    second = Served(first.run, "--port", str(first.port))
    try:
        sheet.until(lambda: "open the address it printed" in sheet.saved)
        assert "--port" not in sheet.page.get_attribute("#saved", "title")
        Sheet(sheet.page.context.new_page(), second).open(second.url)  # another tab of this browser is let in
        sheet.until_saved()
    finally:
        second.end()


def test_why_variations_are_not_drawn_stays_in_the_header(own_sheet: Sheet) -> None:
    sheet = own_sheet
    before = sheet.page.locator("#filter").bounding_box()
    recipe = sheet.served.run / "recipe.toml"
    whole = recipe.read_text("utf-8")
    recipe.write_text("not [ toml")
    sheet.press("v")
    sheet.until(lambda: "recipe.toml:1:5: not TOML" in sheet.text("#queue"), patience=60)
    assert sheet.text("#queue") == sheet.page.get_attribute("#queue", "title")  # where its end is read
    assert sheet.page.locator("#filter").bounding_box() == before
    recipe.write_text(whole, "utf-8")
    sheet.press("v")
    sheet.until(lambda: "queued" in sheet.text("#queue"))  # it goes as they are asked for anew
    assert sheet.page.locator("#filter").bounding_box() == before


def test_a_missing_thumbnail_is_an_empty_frame(own_sheet: Sheet) -> None:
    sheet = own_sheet
    thumbnail_file(sheet.served.run, 1).unlink()
    sheet.open()
    sheet.until(lambda: sheet.page.locator("#c1 img").count() == 0)
    style = "getComputedStyle(document.querySelector('#c1 .picture')).borderTopWidth"
    assert sheet.page.evaluate(style) == "1px"
    assert sheet.page.locator("#c2 img").count() == 1


@pytest.mark.slow
def test_what_waits_outlasts_the_page(sheet_run: Path, tmp_path: Path, chromium: Any) -> None:
    folder = copied(sheet_run, tmp_path)
    first = Served(folder)
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    try:
        sheet = Sheet(context.new_page(), first).open(first.url)
        first.process.kill()
        first.process.wait()
        sheet.press("p", "x")
        sheet.page.close()
        second = Served(folder, "--port", str(first.port))
        try:
            again = Sheet(context.new_page(), second).open(second.url)
            assert (again.with_class("kept"), again.with_class("rejected")) == ([1], [2])
            again.until_saved()
            with Run.open(folder) as run:
                assert [one.mark for one in run.candidates()[:3]] == ["kept", "rejected", None]
            assert (
                again.page.evaluate("Object.keys(localStorage).filter((key) => key.includes('unsent'))") == []
            )
        finally:
            second.end()
    finally:
        first.end()
        context.close()


def test_hostile_words_are_only_words(finished_run: Callable[..., Path], chromium: Any) -> None:
    hostile = "<img src=x onerror=\"document.title='no'\"><script>alert(1)</script>'&amp; {{ 1 }} \u2028 é"
    folder = finished_run(shapes=((96, 64), (64, 96), (96, 96)), title=hostile, caption=hostile)
    with Run.open(folder) as run:
        run.decide([Change(1, "title", hostile), Change(2, "alt", hostile)], who="eve", view="command")
    server, context = Served(folder), chromium.new_context(viewport={"width": 1000, "height": 700})
    try:
        sheet = Sheet(context.new_page(), server).open(server.url)
        assert sheet.text("h1") == hostile
        assert hostile in sheet.words(1)
        assert hostile in sheet.text("#candidate .title")
        sheet.press("l", "i")
        assert hostile in sheet.text("#info")
        sheet.press("i", "t")
        assert sheet.page.input_value("#title textarea") == hostile
        sheet.press("Escape", "h", "n")
        assert hostile in sheet.text(".pane figcaption")
        assert sheet.page.title() == f"{hostile}: contact sheet"
        assert sheet.page.locator("img[src=x]").count() == 0
        assert sheet.complaints == []
    finally:
        context.close()
        server.end()


def test_a_run_without_candidates_fills(finished_run: Callable[..., Path], chromium: Any) -> None:
    folder = finished_run()
    with Run.open(folder) as run:
        made = run.candidates()
        for one in made:
            run.remove(one.index)
        server, context = Served(folder), chromium.new_context()
        try:
            sheet = Sheet(context.new_page(), server).open(server.url)
            assert sheet.text("#empty").startswith("No candidates yet.")
            sheet.press("ArrowRight", "p", " ", "c", "n", "s", "v", "t", "i", "Control+a", "Escape")
            for one in made[:2]:
                run.add(one)
            sheet.until(lambda: sheet.numbers == [1, 2])
            assert sheet.focus == 1
            assert sheet.page.is_hidden("#empty")
            assert sheet.complaints == []
        finally:
            context.close()
            server.end()


@pytest.mark.slow
def test_no_decision_shown_as_saved_is_lost_whenever_the_server_dies(
    sheet_run: Path, tmp_path: Path, chromium: Any
) -> None:
    folder = copied(sheet_run, tmp_path)
    served = Served(folder)
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    sheet = Sheet(context.new_page(), served).open(served.url)
    try:
        for wait in (0.0, 0.003, 0.01, 0.03, 0.1):
            sheet.press("Home", *"xpxpxpxpxp"[: 6 + int(wait * 40)])
            time.sleep(wait)
            served.process.kill()
            served.process.wait()
            sheet.press("Shift+P", "3", "ArrowRight")
            kept, rejected = sheet.with_class("kept"), sheet.with_class("rejected")
            served = Served(folder, "--port", str(served.port))
            Sheet(context.new_page(), served).open(served.url).until_saved().page.close()
            sheet.until_saved()
            assert (sheet.with_class("kept"), sheet.with_class("rejected")) == (kept, rejected)
            with Run.open(folder) as run:
                marks = {one.index: one.mark for one in run.candidates()}
            assert [
                number for number, mark in marks.items() if mark == "kept" and number in sheet.numbers
            ] == kept
            assert [n for n, mark in marks.items() if mark == "rejected" and n in sheet.numbers] == rejected
    finally:
        served.end()
        context.close()


@pytest.mark.slow
def test_variations_are_drawn_and_get_their_place(sampled: Path, chromium: Any) -> None:
    (folder,) = (sampled / "runs").glob("tiny-*")
    server = Served(folder)
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    try:
        sheet = Sheet(context.new_page(), server).open(server.url)
        sheet.press("o", "ArrowDown", "Enter", "l", "v")  # by seed, where they stand beside it
        sheet.until(lambda: sheet.toast == "4 variations of candidate 2 queued.")
        sheet.until(lambda: not sheet.with_class("queued"), patience=60)
        assert (sheet.focus, sheet.numbers[:6]) == (2, [1, 2, 100_001, 100_002, 100_003, 100_004])
        sheet.press("ArrowRight", "Space")
        sheet.until(
            lambda: sheet.page.evaluate("document.querySelector('.viewer .pane img')?.naturalWidth > 0")
        )
        sheet.press("p")
        sheet.until_saved()
        assert sheet.complaints == []
    finally:
        context.close()
        server.end()
    with Run.open(folder) as run:
        assert [candidate.index for candidate in run.picks()] == [100_001]
        assert not run.queued()
