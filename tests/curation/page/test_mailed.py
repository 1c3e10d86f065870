"""The mailed sheet: the same page in one file, opened from the disk, without a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artgen.curation.export.static import write_static_sheet
from artgen.runs.store import DecisionChange, Run
from tests.curation.sheets import SheetTab


@pytest.fixture
def mailed(sheet_run: Path, tmp_path: Path, open_page: Callable[..., Any]) -> SheetTab:
    from tests.curation.sheets import copy_run

    with Run.open(copy_run(sheet_run, tmp_path)) as run:
        run.decisions.decide(
            [DecisionChange(2, "mark", "kept"), DecisionChange(4, "stars", 2)], author="ada", view="command"
        )
        write_static_sheet(run, tmp_path / "out.html")
    page = open_page(tmp_path / "out.html", width=1000, height=700)
    return SheetTab(page, None).wait()


def test_everything_that_needs_no_server_works(mailed: SheetTab) -> None:
    assert (mailed.with_class("kept"), mailed.text("#c4 .stars")) == ([2], "★★")
    assert mailed.save_status == "saved in this browser"
    mailed.press("p", "x", "5", "t")
    mailed.page.keyboard.type("Dusk")
    mailed.press("Enter", "ArrowRight", "Shift+P", "Control+z", "Control+z", "Control+y")
    assert mailed.label(4) == "4: Dusk, undecided, 5 stars"
    mailed.press(" ", "ArrowRight", "z", "Escape", "c", "Escape", "n", "Escape", "i", "Escape", "v")
    assert mailed.toast == "Variations need artgen curate and cannot be made from a mailed sheet."
    assert mailed.axe_violations() == []
    mailed.page.reload()
    mailed.wait()
    assert (mailed.with_class("kept"), mailed.with_class("rejected")) == ([1, 2], [3])
    mailed.press("Control+z", "Control+z", "Control+z", "Control+z")
    assert mailed.with_class("kept") == [2]
    mailed.press("Control+y", "Control+y", "Control+y", "Control+y")
    with mailed.page.expect_download() as download:
        mailed.page.click("#export")
    assert download.value.suggested_filename == "picks.json"
    picks = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert picks == {
        "format": 2,
        "run": "abstracts-1a2b3c4d",
        "picks": [1],
        "decisions": {
            "1": {"mark": "kept"},
            "3": {"mark": "rejected"},
            "4": {"stars": 5, "title": "Dusk"},
            "5": {"mark": None},
        },
    }


def export_picks(mailed: SheetTab) -> Any:
    with mailed.page.expect_download() as download:
        mailed.page.click("#export")
    return json.loads(Path(download.value.path()).read_text("utf-8"))


def test_what_was_cleared_stays_cleared(mailed: SheetTab) -> None:
    mailed.press("l", "Shift+U", "l", "l", "0")
    mailed.page.reload()
    mailed.wait()
    assert (mailed.with_class("kept"), mailed.text("#c4 .stars")) == ([], "")
    assert (picks := export_picks(mailed))["picks"] == []
    assert picks["decisions"] == {"2": {"mark": None}, "4": {"stars": 0}}
    mailed.press("Control+z", "Control+z", "Home", "Shift+P", "Shift+R", "Enter")
    assert mailed.text("#funnel") == "40 > 2 > 0"
    mailed.page.reload()
    mailed.wait()
    assert (mailed.text("#funnel"), mailed.with_class("kept")) == ("40 > 2 > 0", [])


def test_decisions_about_candidates_that_a_newer_file_lacks(mailed: SheetTab) -> None:
    mailed.page.evaluate(
        """localStorage.setItem("artgen:decisions:abstracts-1a2b3c4d", JSON.stringify([
          { action: "a", kind: "do", rows: [[99, "mark", "kept"]] },
          { action: "b", kind: "do", rows: [[1, "mark", "kept"], [99, "stars", 3]] }]))"""
    )
    mailed.page.reload()
    mailed.wait()
    assert mailed.with_class("kept") == [1, 2]
    mailed.press("Control+z")
    mailed.wait_until(lambda: mailed.with_class("kept") == [2])
    assert mailed.page.is_disabled("#undo")  # an action only about 99 cannot be undone
    assert export_picks(mailed)["decisions"] == {"1": {"mark": None}}


def test_two_windows_on_the_same_file_agree(mailed: SheetTab) -> None:
    other = SheetTab(mailed.page.context.new_page(), None)
    other.page.goto(mailed.page.url)
    other.wait()
    mailed.press("p", "x")
    other.wait_until(lambda: other.with_class("kept") == [1, 2])
    other.press("5", "Control+z", "Control+z")
    mailed.wait_until(lambda: mailed.with_class("rejected") == [])
    assert mailed.with_class("kept") == [1, 2]
    assert other.console_messages == []
