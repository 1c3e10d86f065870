"""Server-sent events: decisions, new candidates and queued variations, whichever tab or process made them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from artgen.curation.server.schemas import candidates_json, format_cursor
from artgen.curation.server.session import CurationSession
from artgen.runs.store import Run

EventCursor = tuple[int, int]
"""Id of the last decision and arrival number of the last candidate that a browser has received."""
STREAM_HEARTBEAT_SECONDS = 10.0


async def stream_events(session: CurationSession, cursor: EventCursor) -> AsyncIterator[str]:
    """Yield the run's events after ``cursor`` until the server stops; a comment after ten quiet seconds."""
    sent_queue_state: tuple[Any, ...] | None = None
    with session.subscribe() as has_news:
        while not session.is_closing.is_set():
            try:
                await asyncio.wait_for(has_news.wait(), STREAM_HEARTBEAT_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            has_news.clear()
            event_texts, cursor, queued = await session.run_thread.call(partial(_new_events, since=cursor))
            for event_text in event_texts:
                yield event_text
            queue_state = (queued, session.variations.is_drawing, session.variations.problem)
            if queue_state != sent_queue_state:
                sent_queue_state = queue_state
                data = dict(zip(("queued", "drawing", "problem"), queue_state, strict=True))
                yield _format_event("queued", cursor, json.dumps(data))


def _new_events(run: Run, since: EventCursor) -> tuple[list[str], EventCursor, list[tuple[int, int]]]:
    changes, new_rows, cursor = run.changes_since(since)
    event_texts = []
    if new_rows:
        # Its id still has the old id of a decision: their event comes next.
        event_texts.append(_format_event("candidates", (since[0], cursor[1]), candidates_json(new_rows)))
    if changes:
        history = run.decisions.history
        data = {"rows": changes, "undo": history.undo_count, "redo": history.redo_count}
        event_texts.append(_format_event("decisions", cursor, json.dumps(data)))
    return event_texts, cursor, run.queued_variations()


def _format_event(event_name: str, cursor: EventCursor, data: str) -> str:
    return f"id: {format_cursor(cursor)}\nevent: {event_name}\ndata: {data}\n\n"
