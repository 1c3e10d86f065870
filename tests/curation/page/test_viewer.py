"""Loupe, compare and survey: one zoom, by keys, mouse and touch, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from artgen.runs.store import Run
from tests.curation.served import Served

SHAPES = ((1200, 900), (900, 1200), (1000, 1000), (96, 64))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, _made_runs: Callable[..., Path]) -> Iterator[Served]:
    import shutil

    folder = tmp_path_factory.mktemp("viewed") / "runs" / "abstracts-1a2b3c4d"
    shutil.copytree(_made_runs(folder.name, SHAPES, "Abstracts", "Candidate {index}"), folder)
    with Run.open(folder) as run:
        run.pick(2, True)
    server = Served(folder)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def let_in(served: Served, chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1200, "height": 864})
    page = context.new_page()
    page.goto(served.url)
    page.wait_for_selector(".cell")
    yield context
    context.close()


@pytest.fixture
def page(served: Served, let_in: Any) -> Iterator[Any]:
    """The sheet at 1200 x 800 px between header and footer."""
    complaints: list[str] = []
    opened = let_in.new_page()
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(f"http://127.0.0.1:{served.port}/")
    opened.wait_for_selector(".cell")
    opened.keyboard.press("Home")
    yield opened
    opened.close()
    assert complaints == []


def shown(page: Any, place: int = 0) -> dict[str, float]:
    """Where the picture of a pane lies: its scale, and its left upper corner in the pane, css px."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    transform = page.evaluate(
        "(at) => document.querySelectorAll('.pane .preview')[at].style.transform", place
    )
    x, y, scale = json.loads(
        "["
        + transform.replace("translate(", "").replace(") scale(", ",").replace(")", "").replace("px", "")
        + "]"
    )
    return {"x": x, "y": y, "scale": scale}


def labels(page: Any) -> list[str]:
    return page.locator(".pane figcaption").all_text_contents()


def test_the_whole_picture_then_100_percent_then_back(page: Any) -> None:
    page.keyboard.press(" ")
    fits = shown(page)
    assert fits["scale"] == pytest.approx(796 / 900, abs=0.003)
    assert (fits["y"], fits["x"]) == (0, pytest.approx((1196 - 1200 * fits["scale"]) / 2, abs=1))
    page.keyboard.press("z")
    assert shown(page)["scale"] == 1
    page.wait_for_selector(".full:not([hidden])")  # the PNG itself, not the preview
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    place = shown(page)
    page.keyboard.press("ArrowRight")  # the next one, at the same place
    assert labels(page)[0].startswith("2")
    page.keyboard.press("ArrowLeft")
    assert shown(page) == pytest.approx(place)
    page.keyboard.press("z")
    assert shown(page)["scale"] < 1


def test_wheel_and_drag_hold_what_is_under_the_mouse(page: Any) -> None:
    page.keyboard.press(" ")
    before = shown(page)
    at = (500, 400)
    page.mouse.move(*at)
    page.mouse.wheel(0, -600)
    after = shown(page)
    assert after["scale"] > 2 * before["scale"]
    top = 32 + 2
    under = [(at[0] - 2 - before["x"]) / before["scale"], (at[1] - top - before["y"]) / before["scale"]]
    still = [(at[0] - 2 - after["x"]) / after["scale"], (at[1] - top - after["y"]) / after["scale"]]
    assert still == pytest.approx(under, abs=2)
    page.mouse.down()
    page.mouse.move(at[0] + 60, at[1] - 40)
    page.mouse.up()
    dragged = shown(page)
    assert (dragged["x"] - after["x"], dragged["y"] - after["y"]) == pytest.approx((60, -40), abs=0.5)
    page.mouse.wheel(0, 5000)
    assert shown(page)["scale"] == pytest.approx(before["scale"])


def test_no_gap_at_an_edge_however_far_one_pushes(page: Any) -> None:
    page.keyboard.press(" ")
    page.keyboard.press("z")
    for _ in range(30):
        page.keyboard.press("Shift+ArrowLeft")
    assert shown(page)["x"] == pytest.approx(0)
    page.keyboard.press("Shift+ArrowRight")  # the very next one moves: nothing added up
    assert shown(page)["x"] < -1


def test_two_share_one_zoom(page: Any) -> None:
    page.keyboard.press("c")
    assert [words[0] for words in labels(page)] == ["1", "2"]
    page.keyboard.press("+")
    page.keyboard.press("+")
    first, second = shown(page, 0), shown(page, 1)
    fits = min(598 / 1200, 796 / 900), min(598 / 900, 796 / 1200)
    assert first["scale"] / fits[0] == pytest.approx(1.25**2, abs=0.02)
    assert second["scale"] / fits[1] == pytest.approx(1.25**2, abs=0.02)
    page.keyboard.press("ArrowDown")  # another in place of the first: the one beside it is passed over
    assert [words[0] for words in labels(page)] == ["3", "2"]
    assert "kept" in labels(page)[1]
    page.keyboard.press("ArrowRight")
    assert page.locator(".pane.focused figcaption").text_content().startswith("2")


def test_survey_of_all(page: Any) -> None:
    page.keyboard.press("n")
    assert [words[0] for words in labels(page)] == ["1", "2", "3", "4"]
    boxes = [pane.bounding_box() for pane in page.query_selector_all(".pane")]
    assert all(box["width"] > 250 and box["height"] > 250 for box in boxes)
    for _ in range(5):
        page.keyboard.press("ArrowRight")  # round and round
    assert page.locator(".pane.focused figcaption").text_content().startswith("2")
    page.keyboard.press("Escape")
    assert not page.is_visible(".viewer")


def test_swipe_and_pinch(served: Served, let_in: Any) -> None:
    page = let_in.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    session = let_in.new_cdp_session(page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
    page.goto(f"http://127.0.0.1:{served.port}/")
    page.wait_for_selector(".cell")
    page.keyboard.press("Home")
    page.keyboard.press(" ")

    def touch(*frames: list[tuple[float, float]]) -> None:
        for number, points in enumerate(frames):
            kind = "touchStart" if number == 0 else "touchMove"
            session.send(
                "Input.dispatchTouchEvent",
                {
                    "type": kind,
                    "touchPoints": [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(points)],
                },
            )
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    touch([(300, 400)], [(200, 402)], [(100, 405)])
    assert labels(page)[0].startswith("2")
    before = shown(page)["scale"]
    touch([(150, 400), (240, 400)], [(120, 400), (270, 400)], [(90, 400), (300, 400)])
    assert shown(page)["scale"] > 1.8 * before
    assert labels(page)[0].startswith("2")  # a pinch is no swipe
    page.close()
