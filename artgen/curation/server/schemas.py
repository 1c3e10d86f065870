"""What the page and the server say to each other, as JSON; what goes without saying is left out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from artgen.runs.candidate import Candidate
from artgen.runs.history import UNDECIDED, Acted, Change, Value
from artgen.runs.row import Row
from artgen.runs.store import Run

Number = Annotated[int, Field(ge=1, lt=1 << 31)]
View = Annotated[str, Field(max_length=200)]
Action = Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]


class _Asked(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Decided(_Asked):
    """``POST /api/decisions``."""

    action: Action
    view: View
    rows: Annotated[list[tuple[Number, str, str | int | None]], Field(min_length=1, max_length=50_000)]

    def changes(self) -> list[Change]:
        """The rows as the store takes them."""
        return [Change(*row) for row in self.rows]


class Viewed(_Asked):
    """``POST /api/undo``, ``redo`` and ``round``."""

    view: View
    action: Action | None = None


class Varied(_Asked):
    """``POST /api/variations``."""

    candidate: Number
    count: Annotated[int, Field(ge=1, le=16)]


def frame_text(row: Row, decided: Mapping[str, Value]) -> str:
    """One candidate."""
    text = (
        f'{{"number":{row.number},"width":{row.width},"height":{row.height},"caption":{json.dumps(row.caption)},'
        f'"seconds":{row.seconds:.3f},"draws":{_sound(row.draws)},"stages":{_stages(row.stages)}'
    )
    for field, value in decided.items():
        if value != UNDECIDED[field]:
            text += f',"{field}":{json.dumps(value)}'
    if row.variation_of is not None:
        text += f',"variationOf":{row.variation_of}'
    return text + "}"


def run_text(run: Run, drawing: bool = False) -> str:
    """The whole run; JSON that the database has already is passed on as it is."""
    cursor = cursor_text(run.cursor())  # first: what comes meanwhile comes again, but is not missed
    head = {"name": run.name, "title": run.title, "seed": run.seed, "queued": run.queued()}
    head |= {"undo": run.undoable, "redo": run.redoable, "cursor": cursor, "drawing": drawing}
    frames = ",".join(frame_text(row, decided) for row, decided in run.rows())
    return f'{json.dumps(head)[:-1]},"candidates":[{frames}]}}'


def described_run(run: Run, shown: Sequence[Candidate]) -> dict[str, Any]:
    """The run as ``run_text`` says it, with only these candidates."""
    whole: dict[str, Any] = json.loads(run_text(run))
    numbers = {candidate.index for candidate in shown}
    whole["candidates"] = [frame for frame in whole["candidates"] if frame["number"] in numbers]
    return whole


def frames_text(run: Run, candidates: Sequence[Candidate]) -> str:
    """New candidates."""
    history = run.decisions.history
    frames = (frame_text(Row.of(one), history.values(one.index)) for one in candidates)
    return f'{{"candidates":[{",".join(frames)}]}}'


def acted(run: Run, done: Acted | None) -> dict[str, Any]:
    """What an action came to."""
    history = run.decisions.history
    counts = {
        "undo": history.undoable,
        "redo": history.redoable,
        "cursor": cursor_text(run.cursor()),
    }
    if done is None:
        return {"action": None, "rows": [], **counts}
    return {"action": done.action, "rows": done.rows, **counts}


def cursor_text(cursor: tuple[int, int]) -> str:
    """A cursor as events carry it."""
    return f"{cursor[0]}.{cursor[1]}"


def cursor_of(text: str) -> tuple[int, int] | None:
    """What ``cursor_text`` wrote; None for anything else."""
    parts = text.split(".")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 16 for part in parts):
        return None
    return int(parts[0]), int(parts[1])


@lru_cache(4096)
def _stages(stored: str) -> str:
    """Without the numbers of the previews: the page counts them itself. Most candidates have the same."""
    return json.dumps([stage[1:] for stage in json.loads(stored)])


def _sound(stored: str) -> str:
    """Python writes numbers that JSON has not; a picture that was read may carry them."""
    if "NaN" not in stored and "Infinity" not in stored:
        return stored
    return json.dumps(json.loads(stored, parse_constant=str))
