"""What goes over the wire: sound JSON whatever the run holds, and fast."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from artgen.curation.server.schemas import cursor_of, described_run, frames_text, run_text
from artgen.runs.store import Change, Run

Make = Callable[..., Path]
ME = {"who": "ada", "view": "sheet"}


def refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


def test_a_frame_says_only_what_does_not_go_without_saying(finished_run: Make) -> None:
    with Run.open(finished_run(shapes=((64, 64),) * 3)) as run:
        run.decide([Change(2, "mark", "kept"), Change(2, "stars", 3), Change(3, "title", "T")], **ME)
        run.decide([Change(3, "title", "")], **ME)
        run.add(replace(run.candidate(1), index=100_001, variation_of=1))
        frames = json.loads(run_text(run))["candidates"]
        always = {"number", "width", "height", "caption", "seconds", "draws", "stages"}
        assert [set(one) - always for one in frames] == [set(), {"mark", "stars"}, set(), {"variationOf"}]
        assert json.loads(frames_text(run, run.candidates()))["candidates"] == frames
        some = described_run(run, run.candidates()[1:2])
        assert some["candidates"] == frames[1:2]
        assert some["undo"] == 2


def test_numbers_that_json_has_not_and_odd_texts(finished_run: Make) -> None:
    with Run.open(finished_run(shapes=((64, 64),) * 2)) as run:
        odd = {"style": {"strength": math.nan, "other": [math.inf, -math.inf], "text": "NaN\u2028</script>"}}
        run.add(replace(run.candidate(1), draws=odd, caption='"\\\u2029\x00 ☂'))
        frame = json.loads(run_text(run), parse_constant=refuse)["candidates"][0]
        assert frame["caption"] == '"\\\u2029\x00 ☂'
        assert frame["draws"]["style"] == {
            "strength": "NaN",
            "other": ["Infinity", "-Infinity"],
            "text": "NaN\u2028</script>",
        }


@pytest.mark.parametrize(
    "text", ["", "1", "1.", ".1", "1.2.3", "-1.2", "1.x", "١.٢", "1 .2", "9" * 99 + ".1"]
)
def test_a_cursor_is_two_numbers(text: str) -> None:
    assert cursor_of(text) is None
    assert cursor_of("17.4") == (17, 4)


def test_five_thousand_candidates_are_said_fast(finished_run: Make) -> None:
    with Run.open(finished_run(shapes=((64, 64),))) as run:
        one = run.candidate(1)
        with run._database.together():
            for number in range(2, 5001):
                run.add(replace(one, index=number))
        run.decide([Change(number, "mark", "kept") for number in range(1, 5001, 3)], **ME)
        run_text(run)
        begun = time.perf_counter()
        text = run_text(run)
        seconds = time.perf_counter() - begun
        assert len(json.loads(text)["candidates"]) == 5000
        assert seconds < 0.5  # 0.03 on an idle machine
