"""A sheet as one file to mail: pictures inside, no server, picks come back as ``picks.json``."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artgen.curation.export.bundle import joined_script, joined_style, script_json, source_hash
from artgen.curation.export.template import render
from artgen.curation.server.schemas import described_run
from artgen.errors import ArtgenError
from artgen.imaging.embedding import NAME
from artgen.imaging.io.files import atomic_write
from artgen.runs.candidate import Candidate
from artgen.runs.store import Run

BUDGET = 12_000_000
"""Bytes of pictures: as text they take a third more, and 25 MB is what mail usually carries."""
SMALL_SIDE, SMALL_QUALITY = 160, 60


@dataclass(frozen=True)
class StaticSheet:
    """What was written.

    Args:
        file: the page.
        shown: candidates on it.
        left_out: those that are not: rejected, or out of play.
        previews: whether the loupe shows 1,024 px; otherwise it shows the thumbnails.
    """

    file: Path
    shown: int
    left_out: int
    previews: bool


def write_static(run: Run, file: Path) -> StaticSheet:
    """Write what is still in play, undecided or kept in the current round, as one page.

    Thumbnails are as in the run, or smaller where they would not fit into a mail; previews are
    added where they fit as well.

    Raises:
        ArtgenError: nothing is in play, or the file cannot be written.
    """
    everything = run.candidates()
    current = max((candidate.round for candidate in everything), default=1)
    shown = [one for one in everything if one.round == current and one.mark != "rejected"]
    if not shown:
        raise ArtgenError(f"run {run.name}", "no candidate is in play", "run more, or take rejections back")
    thumbs = {one.index: content for one in shown if (content := _read(one.thumbnail))}
    if sum(map(len, thumbs.values())) > BUDGET:
        thumbs = {index: _smaller(content) for index, content in thumbs.items()}
    previews = {one.index: content for one in shown if one.stages and (content := _read(_preview(one)))}
    if sum(map(len, thumbs.values())) + sum(map(len, previews.values())) > BUDGET:
        previews = {}
    order, groups = _known(run, [one.index for one in shown])
    data = {
        "run": described_run(run, shown),
        "thumbs": _urls(thumbs),
        "previews": _urls(previews),
        "orders": {"diverse": order} if order else {},
        "groups": groups,
        "recipe": run.recipe_text,
    }
    style, script = joined_style(), joined_script()
    policy = "; ".join(
        [
            "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'",
            f"style-src {source_hash(style)}",
            f"script-src {source_hash(script)}",
        ]
    )
    page = render(
        title=run.title, static=True, style=style, script=script, data=script_json(data), policy=policy
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(file, page.encode())
    return StaticSheet(file, len(shown), len(everything) - len(shown), bool(previews))


def _preview(candidate: Candidate) -> Path:
    return candidate.stages[-1].preview


def _read(file: Path) -> bytes:
    """The file's content; nothing where it is missing: the page then shows an empty frame."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _smaller(content: bytes) -> bytes:
    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(content), formats=["WEBP"]) as image:
            image.thumbnail((SMALL_SIDE, SMALL_SIDE))
            written = io.BytesIO()
            image.save(written, "WEBP", quality=SMALL_QUALITY)
    except (OSError, ValueError):
        return content
    return written.getvalue()


def _urls(pictures: Mapping[int, bytes]) -> dict[str, str]:
    return {
        str(index): f"data:image/webp;base64,{base64.b64encode(content).decode()}"
        for index, content in pictures.items()
    }


def _known(run: Run, shown: list[int]) -> tuple[list[int], list[list[int]]]:
    """The numbers, most different first, and the near-duplicates; nothing where not all are known."""
    from artgen.curation.ranking.duplicates import groups
    from artgen.curation.ranking.orders import diverse

    numbers, vectors = run.embeddings(NAME)
    rows = [row for row, number in enumerate(numbers.tolist()) if number in set(shown)]
    if len(rows) != len(shown):
        return [], []
    chosen = vectors[rows]
    named: list[Any] = [int(numbers[row]) for row in rows]
    return [named[row] for row in diverse(chosen)], [
        [named[row] for row in group] for group in groups(chosen)
    ]
