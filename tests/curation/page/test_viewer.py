"""Loupe, compare and survey: one zoom, by keys, mouse and touch, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from artgen.runs.store import Run
from tests.curation.served import CurateProcess

SHAPES = ((1200, 900), (900, 1200), (1000, 1000), (96, 64))


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, _made_runs: Callable[..., Path]
) -> Iterator[CurateProcess]:
    import shutil

    folder = tmp_path_factory.mktemp("viewed") / "runs" / "abstracts-1a2b3c4d"
    shutil.copytree(_made_runs(folder.name, SHAPES, "Abstracts", "Candidate {index}"), folder)
    with Run.open(folder) as run:
        run.pick(2, True)
    server = CurateProcess(folder)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def signed_in_context(server: CurateProcess, chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1200, "height": 864})
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_selector(".cell")
    yield context
    context.close()


@pytest.fixture
def page(server: CurateProcess, signed_in_context: Any) -> Iterator[Any]:
    """The sheet at 1200 x 800 px between header and footer."""
    console_messages: list[str] = []
    page = signed_in_context.new_page()
    page.on("console", lambda message: console_messages.append(message.text))
    page.on("pageerror", lambda error: console_messages.append(str(error)))
    page.goto(f"http://127.0.0.1:{server.port}/")
    page.wait_for_selector(".cell")
    page.keyboard.press("Home")
    yield page
    page.close()
    assert console_messages == []


def picture_placement(page: Any, pane_index: int = 0) -> dict[str, float]:
    """Return the scale of a pane's picture, and its upper left corner in the pane, in CSS px."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    transform = page.evaluate(
        "(at) => document.querySelectorAll('.pane .preview')[at].style.transform", pane_index
    )
    x, y, scale = json.loads(
        "["
        + transform.replace("translate(", "").replace(") scale(", ",").replace(")", "").replace("px", "")
        + "]"
    )
    return {"x": x, "y": y, "scale": scale}


def pane_labels(page: Any) -> list[str]:
    return page.locator(".pane figcaption").all_text_contents()


def test_fitted_then_100_percent_then_back(page: Any) -> None:
    page.keyboard.press(" ")
    fits = picture_placement(page)
    assert fits["scale"] == pytest.approx(796 / 900, abs=0.003)
    assert (fits["y"], fits["x"]) == (0, pytest.approx((1196 - 1200 * fits["scale"]) / 2, abs=1))
    page.keyboard.press("z")
    assert picture_placement(page)["scale"] == 1
    page.wait_for_selector(".full:not([hidden])")  # the PNG itself, not the preview
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    placement = picture_placement(page)
    page.keyboard.press("ArrowRight")  # the next one, at the same place
    assert pane_labels(page)[0].startswith("2")
    page.keyboard.press("ArrowLeft")
    assert picture_placement(page) == pytest.approx(placement)
    page.keyboard.press("z")
    assert picture_placement(page)["scale"] < 1


def test_wheel_and_drag_keep_the_point_under_the_mouse(page: Any) -> None:
    page.keyboard.press(" ")
    before = picture_placement(page)
    mouse_x, mouse_y = 500, 400
    page.mouse.move(mouse_x, mouse_y)
    page.mouse.wheel(0, -600)
    after = picture_placement(page)
    assert after["scale"] > 2 * before["scale"]
    top = 32 + 2
    under = [
        (mouse_x - 2 - before["x"]) / before["scale"],
        (mouse_y - top - before["y"]) / before["scale"],
    ]
    still = [
        (mouse_x - 2 - after["x"]) / after["scale"],
        (mouse_y - top - after["y"]) / after["scale"],
    ]
    assert still == pytest.approx(under, abs=2)
    page.mouse.down()
    page.mouse.move(mouse_x + 60, mouse_y - 40)
    page.mouse.up()
    dragged = picture_placement(page)
    assert (dragged["x"] - after["x"], dragged["y"] - after["y"]) == pytest.approx((60, -40), abs=0.5)
    page.mouse.wheel(0, 5000)
    assert picture_placement(page)["scale"] == pytest.approx(before["scale"])


def test_panning_stops_at_the_edge(page: Any) -> None:
    page.keyboard.press(" ")
    page.keyboard.press("z")
    for _ in range(30):
        page.keyboard.press("Shift+ArrowLeft")
    assert picture_placement(page)["x"] == pytest.approx(0)
    page.keyboard.press("Shift+ArrowRight")  # the very next one moves: nothing added up
    assert picture_placement(page)["x"] < -1


def test_compared_pictures_share_one_zoom(page: Any) -> None:
    page.keyboard.press("c")
    assert [words[0] for words in pane_labels(page)] == ["1", "2"]
    page.keyboard.press("+")
    page.keyboard.press("+")
    first, second = picture_placement(page, 0), picture_placement(page, 1)
    fits = min(598 / 1200, 796 / 900), min(598 / 900, 796 / 1200)
    assert first["scale"] / fits[0] == pytest.approx(1.25**2, abs=0.02)
    assert second["scale"] / fits[1] == pytest.approx(1.25**2, abs=0.02)
    page.keyboard.press("ArrowDown")  # another in place of the first: the one beside it is passed over
    assert [words[0] for words in pane_labels(page)] == ["3", "2"]
    assert "kept" in pane_labels(page)[1]
    page.keyboard.press("ArrowRight")
    assert page.locator(".pane.focused figcaption").text_content().startswith("2")


def test_survey_of_all(page: Any) -> None:
    page.keyboard.press("n")
    assert [words[0] for words in pane_labels(page)] == ["1", "2", "3", "4"]
    boxes = [pane.bounding_box() for pane in page.query_selector_all(".pane")]
    assert all(box["width"] > 250 and box["height"] > 250 for box in boxes)
    for _ in range(5):
        page.keyboard.press("ArrowRight")  # round and round
    assert page.locator(".pane.focused figcaption").text_content().startswith("2")
    page.keyboard.press("Escape")
    assert not page.is_visible(".viewer")


def test_swipe_and_pinch(server: CurateProcess, signed_in_context: Any) -> None:
    page = signed_in_context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    session = signed_in_context.new_cdp_session(page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
    page.goto(f"http://127.0.0.1:{server.port}/")
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
                    "touchPoints": [
                        {"x": x, "y": y, "id": mouse_position} for mouse_position, (x, y) in enumerate(points)
                    ],
                },
            )
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    touch([(300, 400)], [(200, 402)], [(100, 405)])
    assert pane_labels(page)[0].startswith("2")
    before = picture_placement(page)["scale"]
    touch([(150, 400), (240, 400)], [(120, 400), (270, 400)], [(90, 400), (300, 400)])
    assert picture_placement(page)["scale"] > 1.8 * before
    assert pane_labels(page)[0].startswith("2")  # a pinch is no swipe
    page.close()
