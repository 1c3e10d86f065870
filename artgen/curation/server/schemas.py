"""JSON that the page and the server exchange; fields with their default value are left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from artgen.runs.candidate import Candidate, CandidateRow
from artgen.runs.history import UNDECIDED_VALUES, ActionResult, DecisionValue
from artgen.runs.provenance import CandidateNumber
from artgen.runs.store import RowWithDecisions, Run

ActionId = Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]


class _RequestBody(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ActionRequest(_RequestBody):
    """Body of ``POST /api/undo``, ``/api/redo`` and ``/api/round``."""

    view: Annotated[str, Field(max_length=200)]
    action: ActionId | None = None


class DecisionsRequest(ActionRequest):
    """Body of ``POST /api/decisions``."""

    action: ActionId
    rows: Annotated[
        list[tuple[CandidateNumber, str, str | int | None]], Field(min_length=1, max_length=50_000)
    ]


class VariationsRequest(_RequestBody):
    """Body of ``POST /api/variations``."""

    candidate: CandidateNumber
    count: Annotated[int, Field(ge=1, le=16)]


def candidate_json(row: CandidateRow, decisions: Mapping[str, DecisionValue]) -> str:
    """Return one candidate and the decisions about it as a JSON object."""
    text = (
        f'{{"number":{row.number},"width":{row.width},"height":{row.height},"caption":{json.dumps(row.caption)},'
        f'"seconds":{row.seconds:.3f},"draws":{_standard_json(row.draws)},"stages":{_page_stages(row.stages)}'
    )
    for field, value in decisions.items():
        if value != UNDECIDED_VALUES[field]:
            text += f',"{field}":{json.dumps(value)}'
    if row.variation_of is not None:
        text += f',"variationOf":{row.variation_of}'
    return text + "}"


def run_json(run: Run, is_drawing: bool = False) -> str:
    """Return the run with all its candidates as a JSON object; JSON of the database is inserted unchanged."""
    counts = _undo_counts_and_cursor(run)  # first: what is added meanwhile is sent twice, but never missed
    header = {"name": run.name, "title": run.title, "seed": run.seed, "queued": run.queued_variations()}
    header |= {**counts, "drawing": is_drawing}
    return f"{json.dumps(header)[:-1]},{candidates_json(run.rows_with_decisions())[1:]}"


def run_data_with(run: Run, candidates: Sequence[Candidate]) -> dict[str, Any]:
    """Return the content of ``run_json`` with only the given candidates."""
    run_data: dict[str, Any] = json.loads(run_json(run))
    numbers = {candidate.index for candidate in candidates}
    run_data["candidates"] = [entry for entry in run_data["candidates"] if entry["number"] in numbers]
    return run_data


def candidates_json(rows: Iterable[RowWithDecisions]) -> str:
    """Return candidates as a JSON object, such as the data of an event; JSON of the database is inserted."""
    return f'{{"candidates":[{",".join(candidate_json(row, decisions) for row, decisions in rows)}]}}'


def action_response(run: Run, result: ActionResult | None) -> dict[str, Any]:
    """Return the response to an action: the rows it changed, and the numbers of possible undos and redos."""
    action_id, changes = (result.action_id, result.changes) if result else (None, ())
    return {"action": action_id, "rows": changes, **_undo_counts_and_cursor(run)}


def _undo_counts_and_cursor(run: Run) -> dict[str, Any]:
    cursor = format_cursor(run.database.read_cursor())  # first: the counts are never older than the cursor
    history = run.decisions.history
    return {"undo": history.undo_count, "redo": history.redo_count, "cursor": cursor}


def format_cursor(cursor: tuple[int, int]) -> str:
    """Return a cursor in the run's changes as the text of an event's id."""
    return f"{cursor[0]}.{cursor[1]}"


def parse_cursor(text: str) -> tuple[int, int] | None:
    """Return the cursor that ``format_cursor`` wrote; None for any other text."""
    match = re.fullmatch(r"([0-9]{1,15})\.([0-9]{1,15})", text)
    return (int(match[1]), int(match[2])) if match else None


@lru_cache(4096)
def _page_stages(stored_json: str) -> str:
    """Remove the numbers of the previews: the page counts stages itself. Most candidates have the same."""
    return json.dumps([stage[1:] for stage in json.loads(stored_json)])


def _standard_json(stored_json: str) -> str:
    """Quote NaN and infinities in a candidate's JSON, which Python writes and JSON lacks."""
    if "NaN" not in stored_json and "Infinity" not in stored_json:
        return stored_json
    return json.dumps(json.loads(stored_json, parse_constant=str))
