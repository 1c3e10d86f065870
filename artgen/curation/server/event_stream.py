"""Server-sent events: what was decided, added and queued, by this page, another tab or another process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from artgen.curation.server.schemas import cursor_text, frames_text
from artgen.curation.server.session import Sitting
from artgen.runs.store import Run

Cursor = tuple[int, int]
HEARTBEAT = 10.0


async def events(sitting: Sitting, cursor: Cursor) -> AsyncIterator[str]:
    """The stream after ``cursor``, until the server stops. A comment line every ten seconds without news."""
    told: tuple[Any, ...] | None = None
    with sitting.listening() as fresh:
        while not sitting.closing.is_set():
            try:
                await asyncio.wait_for(fresh.wait(), HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            fresh.clear()
            texts, cursor, queued = await sitting.keeper.do(partial(_news, since=cursor))
            for text in texts:
                yield text
            state = (queued, sitting.variations.drawing, sitting.variations.problem)
            if state != told:
                told = state
                data = dict(zip(("queued", "drawing", "problem"), state, strict=True))
                yield _event("queued", cursor, json.dumps(data))


def _news(run: Run, since: Cursor) -> tuple[list[str], Cursor, list[tuple[int, int]]]:
    rows, candidates, cursor = run.since(since)
    texts = []
    if candidates:
        # Its id says nothing yet of the decisions, which come next.
        texts.append(_event("candidates", (since[0], cursor[1]), frames_text(run, candidates)))
    if rows:
        data = {"rows": rows, "undo": run.undoable, "redo": run.redoable}
        texts.append(_event("decisions", cursor, json.dumps(data)))
    return texts, cursor, run.queued()


def _event(kind: str, cursor: Cursor, data: str) -> str:
    return f"id: {cursor_text(cursor)}\nevent: {kind}\ndata: {data}\n\n"
