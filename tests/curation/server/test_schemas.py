"""The JSON for the page: valid whatever the run contains, and produced fast."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from artgen.curation.server.schemas import candidates_json, parse_cursor, run_data_with, run_json
from artgen.runs.store import DecisionChange, Run

MakeRun = Callable[..., Path]
AUTHOR = {"author": "ada", "view": "sheet"}


def reject_constant(constant: str) -> Any:
    raise AssertionError(f"{constant} is not JSON")


def test_fields_with_default_values_are_left_out(finished_run: MakeRun) -> None:
    with Run.open(finished_run(shapes=((64, 64),) * 3)) as run:
        run.decisions.decide(
            [
                DecisionChange(2, "mark", "kept"),
                DecisionChange(2, "stars", 3),
                DecisionChange(3, "title", "T"),
            ],
            **AUTHOR,
        )
        run.decisions.decide([DecisionChange(3, "title", "")], **AUTHOR)
        run.add_candidate(replace(run.candidate(1), index=100_001, variation_of=1))
        candidates = json.loads(run_json(run))["candidates"]
        required_fields = {"number", "width", "height", "caption", "seconds", "draws", "stages"}
        assert [set(candidate) - required_fields for candidate in candidates] == [
            set(),
            {"mark", "stars"},
            set(),
            {"variationOf"},
        ]
        assert json.loads(candidates_json(run.rows_with_decisions()))["candidates"] == candidates
        partial = run_data_with(run, run.candidates()[1:2])
        assert partial["candidates"] == candidates[1:2]
        assert partial["undo"] == 2


def test_a_decision_made_meanwhile_is_counted_or_comes_as_an_event(finished_run: MakeRun) -> None:
    folder = finished_run(shapes=((64, 64),))
    with Run.open(folder) as run, Run.open(folder) as other:

        def decide_before_the_cursor_is_read(statement: str) -> None:
            if "max(id)" in statement and not other.picks():
                other.pick(1, True)

        run.database._connection.set_trace_callback(decide_before_the_cursor_is_read)
        data = json.loads(run_json(run))
        run.database._connection.set_trace_callback(None)
    assert (data["cursor"], data["undo"]) == ("1.1", 1)


def test_nan_infinities_and_special_characters(finished_run: MakeRun) -> None:
    with Run.open(finished_run(shapes=((64, 64),) * 2)) as run:
        draws = {
            "style": {"strength": math.nan, "other": [math.inf, -math.inf], "text": "NaN\u2028</script>"}
        }
        run.add_candidate(replace(run.candidate(1), draws=draws, caption='"\\\u2029\x00 ☂'))
        candidate = json.loads(run_json(run), parse_constant=reject_constant)["candidates"][0]
        assert candidate["caption"] == '"\\\u2029\x00 ☂'
        assert candidate["draws"]["style"] == {
            "strength": "NaN",
            "other": ["Infinity", "-Infinity"],
            "text": "NaN\u2028</script>",
        }


@pytest.mark.parametrize(
    "text", ["", "1", "1.", ".1", "1.2.3", "-1.2", "1.x", "١.٢", "1 .2", "9" * 99 + ".1"]
)
def test_a_cursor_is_two_numbers(text: str) -> None:
    assert parse_cursor(text) is None
    assert parse_cursor("17.4") == (17, 4)


def test_five_thousand_candidates_are_serialised_fast(finished_run: MakeRun) -> None:
    with Run.open(finished_run(shapes=((64, 64),))) as run:
        original = run.candidate(1)
        with run.database.transaction():
            for number in range(2, 5001):
                run.add_candidate(replace(original, index=number))
        run.decisions.decide(
            [DecisionChange(number, "mark", "kept") for number in range(1, 5001, 3)], **AUTHOR
        )
        run_json(run)
        started_at = time.perf_counter()
        text = run_json(run)
        seconds = time.perf_counter() - started_at
        assert len(json.loads(text)["candidates"]) == 5000
        assert seconds < 0.5  # 0.03 on an idle machine
