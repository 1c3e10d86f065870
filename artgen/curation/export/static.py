"""A contact sheet as one file to mail: it contains its pictures, and returns decisions as ``picks.json``."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from artgen.curation.export.bundle import csp_hash, dump_json_for_html, join_scripts, join_styles
from artgen.curation.export.template import render_page
from artgen.curation.server.schemas import run_data_with
from artgen.errors import ArtgenError
from artgen.imaging.embedding import EMBEDDING_NAME
from artgen.imaging.io.files import atomic_write
from artgen.runs.store import Run

MAX_MAILED_PICTURE_BYTES = 12_000_000
"""Total size of the pictures: base64 adds a third, and mail servers usually accept 25 MB."""
SMALL_THUMBNAIL_SIDE_PX, SMALL_THUMBNAIL_QUALITY = 160, 60


@dataclass(frozen=True)
class StaticSheet:
    """How many candidates ``write_static_sheet`` has put on a mailed contact sheet.

    Args:
        shown_count: candidates on it.
        left_out_count: candidates that are not on it: rejected, or out of play.
        has_previews: whether the loupe shows previews of 1,024 px; otherwise it shows the thumbnails.
    """

    shown_count: int
    left_out_count: int
    has_previews: bool


def write_static_sheet(run: Run, file: Path) -> StaticSheet:
    """Write the candidates still in play, undecided or kept in the current round, as one HTML page.

    Thumbnails are as in the run, or smaller where they would not fit into a mail; previews are
    added where they fit as well.

    Raises:
        ArtgenError: nothing is in play, or the file cannot be written.
    """
    candidates = run.candidates()
    current_round = max((candidate.round for candidate in candidates), default=1)
    shown = [
        candidate
        for candidate in candidates
        if candidate.round == current_round and candidate.mark != "rejected"
    ]
    if not shown:
        raise ArtgenError(f"run {run.name}", "no candidate is in play", "run more, or take rejections back")
    thumbnails = {
        candidate.index: content for candidate in shown if (content := _read_or_empty(candidate.thumbnail))
    }
    if sum(map(len, thumbnails.values())) > MAX_MAILED_PICTURE_BYTES:
        thumbnails = {number: _shrink_thumbnail(content) for number, content in thumbnails.items()}
    previews = {
        candidate.index: content
        for candidate in shown
        if candidate.stages and (content := _read_or_empty(candidate.stages[-1].preview))
    }
    if sum(map(len, thumbnails.values())) + sum(map(len, previews.values())) > MAX_MAILED_PICTURE_BYTES:
        previews = {}
    diverse_order, duplicate_groups = _order_and_group(run, [candidate.index for candidate in shown])
    data = {
        "run": run_data_with(run, shown),
        "thumbs": _to_data_urls(thumbnails),
        "previews": _to_data_urls(previews),
        "orders": {"diverse": diverse_order} if diverse_order else {},
        "groups": duplicate_groups,
        "recipe": run.recipe_text,
    }
    style, script = join_styles(), join_scripts()
    policy = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
    policy += f"style-src {csp_hash(style)}; script-src {csp_hash(script)}"
    static_parts = {"style": style, "script": script, "data": dump_json_for_html(data), "policy": policy}
    html = render_page(run.title, static_parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(file, html.encode())
    return StaticSheet(len(shown), len(candidates) - len(shown), bool(previews))


def _read_or_empty(file: Path) -> bytes:
    """Return a picture file's content, empty if it is missing: the sheet then shows an empty frame."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _shrink_thumbnail(webp: bytes) -> bytes:
    """Return a thumbnail at most ``SMALL_THUMBNAIL_SIDE_PX`` px wide and high, or itself if it is damaged."""
    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(webp), formats=["WEBP"]) as image:
            image.thumbnail((SMALL_THUMBNAIL_SIDE_PX, SMALL_THUMBNAIL_SIDE_PX))
            buffer = io.BytesIO()
            image.save(buffer, "WEBP", quality=SMALL_THUMBNAIL_QUALITY)
    except (OSError, ValueError):
        return webp
    return buffer.getvalue()


def _to_data_urls(pictures: Mapping[int, bytes]) -> dict[str, str]:
    return {
        str(number): f"data:image/webp;base64,{base64.b64encode(webp).decode()}"
        for number, webp in pictures.items()
    }


def _order_and_group(run: Run, shown_numbers: list[int]) -> tuple[list[int], list[list[int]]]:
    """Return the sheet's candidates, most different first, and near-duplicates; empty without embeddings."""
    from artgen.curation.ranking.duplicates import find_duplicate_groups
    from artgen.curation.ranking.orders import order_by_diversity

    all_numbers, all_vectors = run.load_embeddings(EMBEDDING_NAME)
    shown = set(shown_numbers)
    rows = [row for row, number in enumerate(all_numbers.tolist()) if number in shown]
    if len(rows) != len(shown):
        return [], []
    numbers, vectors = all_numbers[rows].tolist(), all_vectors[rows]
    diverse_order = [numbers[row] for row in order_by_diversity(vectors)]
    duplicate_groups = [[numbers[row] for row in group] for group in find_duplicate_groups(vectors)]
    return diverse_order, duplicate_groups
