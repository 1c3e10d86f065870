"""The contact sheet's HTTP endpoints, one function for each address."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from artgen.curation.export.bundle import SHEET_PAGE_FOLDER
from artgen.curation.export.template import render_page
from artgen.curation.server import event_stream, schemas
from artgen.curation.server.session import CurationSession
from artgen.runs.candidate import candidate_png_path, thumbnail_path
from artgen.runs.decisions import DecisionStore
from artgen.runs.history import ActionResult, DecisionChange
from artgen.runs.store import Run

RequestBodyT = TypeVar("RequestBodyT", bound=BaseModel)
_PAGE_FILE_PATTERN = re.compile(r"(?:[a-z_]+/)?[a-z_]+\.(?:js|css)")
_CANDIDATE_NUMBER_PATTERN = re.compile(r"[1-9][0-9]{0,8}")
MEDIA_TYPE_BY_SUFFIX = {".js": "text/javascript", ".css": "text/css", ".webp": "image/webp"}
# Another run may have the same address tomorrow: a browser must ask each time whether its copy is current.
REVALIDATE_HEADERS = {"Cache-Control": "private, no-cache"}
NO_STORE_HEADERS = {"Cache-Control": "no-store"}


class _CandidateNumberConvertor(IntegerConvertor):
    regex = _CANDIDATE_NUMBER_PATTERN.pattern


class _StageIndexConvertor(IntegerConvertor):
    regex = "[0-9]{1,3}"


register_url_convertor("candidate", _CandidateNumberConvertor())
register_url_convertor("stage", _StageIndexConvertor())


async def get_page(request: Request) -> Response:
    """Return the contact sheet's HTML page."""
    title = await _session(request).run_thread.call(lambda run: run.title)
    return HTMLResponse(render_page(title), headers=NO_STORE_HEADERS)


async def get_page_file(request: Request) -> Response:
    """Return a script or style sheet of the page."""
    name = request.path_params["name"]
    if not _PAGE_FILE_PATTERN.fullmatch(name):
        raise HTTPException(404, "no such file")
    return _file_response(request, SHEET_PAGE_FOLDER / name)


async def get_thumbnail(request: Request) -> Response:
    """Return a candidate's thumbnail."""
    run_folder = _session(request).run_thread.run_folder
    return _file_response(request, thumbnail_path(run_folder, request.path_params["number"]))


async def get_picture(request: Request) -> Response:
    """Return a candidate's full-size picture, or the byte range that was requested."""
    run_folder = _session(request).run_thread.run_folder
    path = candidate_png_path(run_folder, request.path_params["number"])
    if not path.is_file():
        raise HTTPException(404, "no such picture")
    return _not_modified_response(request, path) or FileResponse(
        path, headers={**REVALIDATE_HEADERS, "ETag": _etag(path)}
    )


async def get_stage_preview(request: Request) -> Response:
    """Return the preview of one of a candidate's stages, counted from 0."""
    number, stage_index = request.path_params["number"], request.path_params["stage_index"]

    def find_preview(run: Run) -> Path | None:
        stages = run.candidate(number).stages if run.database.has_candidate(number) else ()
        return stages[stage_index].preview if stage_index < len(stages) else None

    path = await _session(request).run_thread.call(find_preview)
    if path is None:
        raise HTTPException(404, "no such stage")
    return _file_response(request, path)


async def get_run(request: Request) -> Response:
    """Return the run with all its candidates."""
    session = _session(request)
    is_drawing = session.variations.is_drawing
    body = await session.run_thread.call(lambda run: schemas.run_json(run, is_drawing).encode())
    return Response(body, media_type="application/json", headers=NO_STORE_HEADERS)


async def get_recipe(request: Request) -> Response:
    """Return the text of the run's recipe."""
    return _json_response({"text": await _session(request).run_thread.call(lambda run: run.recipe_text)})


async def post_decisions(request: Request) -> Response:
    """Save decisions; the response is sent after they are on disk."""
    body = await _parse_body(request, schemas.DecisionsRequest)
    changes = [DecisionChange(*row) for row in body.rows]
    return await _run_action(request, body, lambda store, **origin: store.decide(changes, **origin))


async def post_action(request: Request, act: Callable[..., ActionResult | None]) -> Response:
    """Undo or redo an action, or start the next round, as ``act`` does with the run's decisions."""
    return await _run_action(request, await _parse_body(request, schemas.ActionRequest), act)


async def post_variations(request: Request) -> Response:
    """Queue variations of a candidate."""
    body, session = await _parse_body(request, schemas.VariationsRequest), _session(request)
    queued = await session.variations.add(body.candidate, body.count)
    session.notify()
    return _json_response({"queued": queued})


async def get_order(request: Request) -> Response:
    """Return the candidates' numbers sorted by diversity, similarity or taste."""
    criterion = request.query_params.get("by", "")
    if criterion not in ("diverse", "taste", "like"):
        raise HTTPException(400, "by is diverse, taste or like")
    candidate = _parse_number_parameter(request, "candidate") if criterion == "like" else None
    session = _session(request)
    numbers, is_incomplete = await session.ranker.order_candidates(criterion, candidate)
    wait = is_incomplete and session.expects_embeddings
    return _json_response({"by": criterion, "order": numbers, "wait": wait})


async def get_duplicate_groups(request: Request) -> Response:
    """Return the groups of near-duplicates."""
    return _json_response({"groups": await _session(request).ranker.find_duplicate_groups()})


async def get_closest_kept(request: Request) -> Response:
    """Return the kept candidates that are most similar to a candidate."""
    candidate = _parse_number_parameter(request, "candidate")
    return _json_response({"closest": await _session(request).ranker.find_closest_kept(candidate)})


async def get_proposal(request: Request) -> Response:
    """Return a proposal for the final set."""
    count = _parse_number_parameter(request, "count")
    return _json_response({"proposed": await _session(request).ranker.propose_final_set(count)})


async def get_events(request: Request) -> Response:
    """Return a stream of all events from now on, or after the last one that the browser received."""
    session = _session(request)
    text = request.headers.get("last-event-id") or request.query_params.get("cursor")
    cursor = (
        schemas.parse_cursor(text)
        if text
        else await session.run_thread.call(lambda run: run.database.read_cursor())
    )
    if cursor is None:
        raise HTTPException(400, "cursor is D.A, as in /api/run")
    return StreamingResponse(
        event_stream.stream_events(session, cursor), media_type="text/event-stream", headers=NO_STORE_HEADERS
    )


ROUTES = [
    Route("/", get_page),
    Route("/page/{name:path}", get_page_file),
    Route("/thumb/{number:candidate}.webp", get_thumbnail),
    Route("/picture/{number:candidate}.png", get_picture),
    Route("/stage/{number:candidate}/{stage_index:stage}.webp", get_stage_preview),
    Route("/api/run", get_run),
    Route("/api/recipe", get_recipe),
    Route("/api/order", get_order),
    Route("/api/groups", get_duplicate_groups),
    Route("/api/reasons", get_closest_kept),
    Route("/api/proposal", get_proposal),
    Route("/api/events", get_events, methods=["GET"]),
    Route("/api/decisions", post_decisions, methods=["POST"]),
    Route("/api/undo", partial(post_action, act=DecisionStore.undo), methods=["POST"]),
    Route("/api/redo", partial(post_action, act=DecisionStore.redo), methods=["POST"]),
    Route("/api/round", partial(post_action, act=DecisionStore.start_next_round), methods=["POST"]),
    Route("/api/variations", post_variations, methods=["POST"]),
]


def _session(request: Request) -> CurationSession:
    session: CurationSession = request.app.state.session
    return session


async def _run_action(
    request: Request, body: schemas.ActionRequest, act: Callable[..., ActionResult | None]
) -> Response:
    """Act on the run's decisions and return what has changed; ``act`` takes them and who decided where."""
    session = _session(request)

    def act_on_run(run: Run) -> dict[str, Any]:
        result = act(run.decisions, author=session.artist_name, view=body.view, action_id=body.action)
        return schemas.action_response(run, result)

    # Shielded: an action whose browser hung up is nevertheless finished.
    response_data = await asyncio.shield(session.run_thread.call(act_on_run))
    session.notify()
    return _json_response(response_data)


async def _parse_body(request: Request, body_type: type[RequestBodyT]) -> RequestBodyT:
    try:
        return body_type.model_validate_json(await request.body())
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        location = ".".join(str(part) for part in problem["loc"])
        raise HTTPException(400, f"{location or 'body'}: {problem['msg']}") from None


def _parse_number_parameter(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not _CANDIDATE_NUMBER_PATTERN.fullmatch(text):
        raise HTTPException(400, f"{name} is a number from 1")
    return int(text)


def _file_response(request: Request, path: Path) -> Response:
    """Respond with a small picture, read here: handing it to a thread would take longer."""
    try:
        etag = _etag(path)
        if not_modified := _not_modified_response(request, path):
            return not_modified
        content = path.read_bytes()
    except OSError:
        raise HTTPException(404, "no such file") from None
    return Response(
        content, media_type=MEDIA_TYPE_BY_SUFFIX[path.suffix], headers={**REVALIDATE_HEADERS, "ETag": etag}
    )


def _not_modified_response(request: Request, path: Path) -> Response | None:
    etag = _etag(path)
    if request.headers.get("if-none-match") != etag:
        return None
    return Response(status_code=304, headers={**REVALIDATE_HEADERS, "ETag": etag})


def _etag(path: Path) -> str:
    stat = path.stat()
    return f'"{stat.st_ino:x}-{stat.st_mtime_ns:x}-{stat.st_size:x}"'


def _json_response(value: object) -> Response:
    return JSONResponse(value, headers=NO_STORE_HEADERS)
