"""What the sheet's server answers, one function for each address."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from artgen.curation.export.bundle import PAGE
from artgen.curation.export.template import render
from artgen.curation.server import event_stream, schemas
from artgen.curation.server.session import Sitting
from artgen.runs.candidate import png_file, thumbnail_file
from artgen.runs.store import Run

Asked = TypeVar("Asked", bound=BaseModel)
_MODULE = re.compile(r"(?:[a-z_]+/)?[a-z_]+\.(?:js|css)")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
KINDS = {".js": "text/javascript", ".css": "text/css", ".webp": "image/webp"}
# Another run may have the same address tomorrow: a browser asks each time whether it is still the same.
CHECKED = {"Cache-Control": "private, no-cache"}
FRESH = {"Cache-Control": "no-store"}


async def page(request: Request) -> Response:
    """The page itself."""
    title = await _sitting(request).keeper.do(lambda run: run.title)
    return HTMLResponse(render(title=title), headers=FRESH)


async def module(request: Request) -> Response:
    """A script or style of the page."""
    name = request.path_params["name"]
    if not _MODULE.fullmatch(name):
        raise HTTPException(404, "no such file")
    return _file(request, PAGE / name)


async def thumb(request: Request) -> Response:
    """A candidate's thumbnail."""
    return _file(request, thumbnail_file(_sitting(request).keeper.folder, _number(request, ".webp")))


async def picture(request: Request) -> Response:
    """A candidate's picture, in parts if asked for."""
    file = png_file(_sitting(request).keeper.folder, _number(request, ".png"))
    if not file.is_file():
        raise HTTPException(404, "no such picture")
    return _unchanged(request, file) or FileResponse(file, headers={**CHECKED, "ETag": _tag(file)})


async def stage(request: Request) -> Response:
    """The preview of a candidate's stage, counted from 0."""
    number, name = request.path_params["number"], request.path_params["name"]
    at = name.removesuffix(".webp")
    if not (_NUMBER.fullmatch(number) and re.fullmatch(r"[0-9]{1,3}", at) and name.endswith(".webp")):
        raise HTTPException(404, "no such stage")
    file = await _sitting(request).keeper.do(lambda run: _preview(run, int(number), int(at)))
    if file is None:
        raise HTTPException(404, "no such stage")
    return _file(request, file)


async def whole(request: Request) -> Response:
    """The run with all its candidates."""
    sitting = _sitting(request)
    drawing = sitting.variations.drawing
    text = await sitting.keeper.do(lambda run: schemas.run_text(run, drawing).encode())
    return Response(text, media_type="application/json", headers=FRESH)


async def recipe(request: Request) -> Response:
    """The recipe as run."""
    return _json({"text": await _sitting(request).keeper.do(lambda run: run.recipe_text)})


async def decisions(request: Request) -> Response:
    """Save decisions: on disk before this answers."""
    asked, who = await _body(request, schemas.Decided), _sitting(request).who
    return await _act(
        request,
        lambda run: run.decide(asked.changes(), who=who, view=asked.view, action=asked.action),
    )


async def undo(request: Request) -> Response:
    """Take back the last action."""
    asked, who = await _body(request, schemas.Viewed), _sitting(request).who
    return await _act(request, lambda run: run.undo(who=who, view=asked.view, action=asked.action))


async def redo(request: Request) -> Response:
    """Do again what was undone last."""
    asked, who = await _body(request, schemas.Viewed), _sitting(request).who
    return await _act(request, lambda run: run.redo(who=who, view=asked.view, action=asked.action))


async def following(request: Request) -> Response:
    """Begin the next round."""
    asked, who = await _body(request, schemas.Viewed), _sitting(request).who
    return await _act(request, lambda run: run.next_round(who=who, view=asked.view, action=asked.action))


async def variations(request: Request) -> Response:
    """Ask for variations of a candidate."""
    asked, sitting = await _body(request, schemas.Varied), _sitting(request)
    queued = await sitting.variations.ask(asked.candidate, asked.count)
    sitting.wake()
    return _json({"queued": queued})


async def order(request: Request) -> Response:
    """The candidates in another order."""
    by = request.query_params.get("by", "")
    if by not in ("diverse", "taste", "like"):
        raise HTTPException(400, "by is diverse, taste or like")
    candidate = _asked(request, "candidate") if by == "like" else None
    sitting = _sitting(request)
    numbers, lacking = await sitting.knowledge.order(by, candidate)
    return _json({"by": by, "order": numbers, "wait": lacking and sitting.expecting})


async def groups(request: Request) -> Response:
    """Near-duplicates."""
    return _json({"groups": await _sitting(request).knowledge.groups()})


async def reasons(request: Request) -> Response:
    """Why a candidate is thought to be liked."""
    candidate = _asked(request, "candidate")
    return _json({"closest": await _sitting(request).knowledge.reasons(candidate)})


async def proposal(request: Request) -> Response:
    """A final set."""
    count = _asked(request, "count")
    return _json({"proposed": await _sitting(request).knowledge.proposal(count)})


async def events(request: Request) -> Response:
    """Everything that happens from now on, or from where the browser was."""
    sitting = _sitting(request)
    text = request.headers.get("last-event-id") or request.query_params.get("cursor")
    cursor = schemas.cursor_of(text) if text else await sitting.keeper.do(Run.cursor)
    if cursor is None:
        raise HTTPException(400, "cursor is D.A, as the run says it")
    return StreamingResponse(
        event_stream.events(sitting, cursor), media_type="text/event-stream", headers=FRESH
    )


ROUTES = [
    Route("/", page),
    Route("/page/{name:path}", module),
    Route("/thumb/{name}", thumb),
    Route("/picture/{name}", picture),
    Route("/stage/{number}/{name}", stage),
    Route("/api/run", whole),
    Route("/api/recipe", recipe),
    Route("/api/order", order),
    Route("/api/groups", groups),
    Route("/api/reasons", reasons),
    Route("/api/proposal", proposal),
    Route("/api/events", events, methods=["GET"]),
    Route("/api/decisions", decisions, methods=["POST"]),
    Route("/api/undo", undo, methods=["POST"]),
    Route("/api/redo", redo, methods=["POST"]),
    Route("/api/round", following, methods=["POST"]),
    Route("/api/variations", variations, methods=["POST"]),
]


def _sitting(request: Request) -> Sitting:
    sitting: Sitting = request.app.state.sitting
    return sitting


async def _act(request: Request, act: Callable[[Run], Any]) -> Response:
    sitting = _sitting(request)
    done = await asyncio.shield(sitting.keeper.do(lambda run: schemas.acted(run, act(run))))
    sitting.wake()
    return _json(done)


async def _body(request: Request, kind: type[Asked]) -> Asked:
    try:
        return kind.model_validate_json(await request.body())
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise HTTPException(400, f"{place or 'body'}: {problem['msg']}") from None


def _number(request: Request, ending: str) -> int:
    name = request.path_params["name"]
    number = name.removesuffix(ending)
    if not name.endswith(ending) or not _NUMBER.fullmatch(number):
        raise HTTPException(404, "no such picture")
    return int(number)


def _asked(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not _NUMBER.fullmatch(text):
        raise HTTPException(400, f"{name} is a number from 1")
    return int(text)


def _preview(run: Run, number: int, at: int) -> Path | None:
    stages = run.candidate(number).stages if run.has(number) else ()
    return stages[at].preview if at < len(stages) else None


def _file(request: Request, file: Path) -> Response:
    """A small file, read at once: handing it to a thread would take longer."""
    try:
        tag = _tag(file)
        if same := _unchanged(request, file):
            return same
        content = file.read_bytes()
    except OSError:
        raise HTTPException(404, "no such file") from None
    return Response(content, media_type=KINDS[file.suffix], headers={**CHECKED, "ETag": tag})


def _unchanged(request: Request, file: Path) -> Response | None:
    tag = _tag(file)
    if request.headers.get("if-none-match") != tag:
        return None
    return Response(status_code=304, headers={**CHECKED, "ETag": tag})


def _tag(file: Path) -> str:
    stat = file.stat()
    return f'"{stat.st_ino:x}-{stat.st_mtime_ns:x}-{stat.st_size:x}"'


def _json(value: object) -> Response:
    return JSONResponse(value, headers=FRESH)
