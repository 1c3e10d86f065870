"""Picks become a site: static files, relative links, whole without JavaScript."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from artgen import __version__
from artgen.errors import ArtgenError, Problems
from artgen.events import Emit, Note, ignore
from artgen.gallery import layout, templates
from artgen.gallery.folder import building
from artgen.gallery.pieces import Piece, make_piece, slug_of
from artgen.runs.candidate import Candidate
from artgen.runs.store import Run

FOLDERS = ("pieces", "images", "originals", "assets")
CONTENT_WIDTH = 88  # vw: the window less its two margins of 6 vw


@dataclass(frozen=True)
class Summary:
    """What was published.

    Attributes:
        index: the site's first page.
        pieces: the page of each piece, in order.
        series: how many runs they come from.
    """

    index: Path
    pieces: tuple[Path, ...]
    series: int


@dataclass(frozen=True)
class Row:
    """Pieces hanging side by side; ``ratio`` is the sum of theirs."""

    pieces: tuple[Piece, ...]
    ratio: float

    def sizes(self, piece: Piece) -> str:
        """How wide ``piece`` is shown, for choosing among its renditions."""
        share = CONTENT_WIDTH * piece.ratio / self.ratio
        return f"(max-width: 719px) 90vw, {share:.1f}vw"


@dataclass(frozen=True)
class Series:
    """The pieces of one run."""

    title: str
    description: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Site:
    """What every page knows of the whole."""

    title: str
    description: str
    series: tuple[Series, ...]
    count: int
    drawn: int


def publish(
    runs: Sequence[Run],
    target: Path,
    emit: Emit = ignore,
    *,
    everything: bool = False,
    originals: bool = True,
    force: bool = False,
    title: str | None = None,
) -> Summary:
    """Build the site of the runs' picks and switch it into ``target``.

    Args:
        runs: one or more; each becomes a series, in this order.
        target: the site's folder. Files in it that artgen did not make are kept.
        emit: told of each run's progress.
        everything: publish every candidate, picked or not.
        originals: whether visitors can download the pictures as they were made.
        force: publish into a folder that artgen did not make.
        title: of the site; by default the runs' own.

    Raises:
        ArtgenError: a run without picks, a damaged picture, or a folder that must not be replaced.
    """
    chosen = [(run, _chosen(run, everything)) for run in runs]
    _check_chosen(chosen, everything)
    _check_target(runs, target)
    with building(target, force) as site:
        for folder in FOLDERS:
            if originals or folder != "originals":
                (site / folder).mkdir()
        for asset in templates.ASSETS:
            shutil.copyfile(templates.templates_folder() / asset, site / "assets" / asset)
        pieces = _make_pieces(chosen, site, originals, emit)
        _write_pages(site, chosen, pieces, title)
    return Summary(
        index=target / "index.html",
        pieces=tuple(target / piece.page for group in pieces for piece in group),
        series=len(runs),
    )


def _chosen(run: Run, everything: bool) -> list[Candidate]:
    return run.candidates() if everything else run.picks()


def _check_chosen(chosen: Sequence[tuple[Run, list[Candidate]]], everything: bool) -> None:
    problems = []
    for run, candidates in chosen:
        if candidates:
            continue
        count = len(run.candidates())
        if everything or not count:
            problems.append(ArtgenError(run.name, "has no candidates yet", "make some with artgen run"))
            continue
        problems.append(
            ArtgenError(
                run.name,
                f"none of its {count} candidates is picked",
                f"pick on the contact sheet (artgen curate {run.name}) or by number; "
                "--all publishes every candidate",
                f"artgen pick {run.name} {run.candidates()[0].index}",
            )
        )
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise Problems("publish", problems)


def _check_target(runs: Sequence[Run], target: Path) -> None:
    place = target.expanduser().resolve()
    for run in runs:
        if place == run.folder.resolve() or place in run.folder.resolve().parents:
            raise ArtgenError(str(target), f"holds the run {run.name}", "name another folder with --to")


def _make_pieces(
    chosen: Sequence[tuple[Run, list[Candidate]]], site: Path, originals: bool, emit: Emit
) -> list[list[Piece]]:
    taken: set[str] = set()
    groups = []
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        for run, candidates in chosen:
            emit(Note(f"{run.title}: {len(candidates)} piece{'s' if len(candidates) != 1 else ''}"))
            slugs = [_free(slug_of(run, candidate), taken) for candidate in candidates]
            jobs = [
                pool.submit(make_piece, run, candidate, slug, site, originals=originals)
                for candidate, slug in zip(candidates, slugs, strict=True)
            ]
            try:
                groups.append([job.result() for job in jobs])
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    return groups


def _free(slug: str, taken: set[str]) -> str:
    """``slug``, or with a number if another run of the same name has it."""
    free, number = slug, 2
    while free in taken:
        free, number = f"{slug}-{number}", number + 1
    taken.add(free)
    return free


def _write_pages(
    site: Path,
    chosen: Sequence[tuple[Run, list[Candidate]]],
    groups: Sequence[Sequence[Piece]],
    title: str | None,
) -> None:
    environment = templates.environment()
    runs = [run for run, _ in chosen]
    series = tuple(
        Series(run.title, run.description, _rows(group)) for run, group in zip(runs, groups, strict=True)
    )
    pieces = [piece for group in groups for piece in group]
    whole = Site(
        title=title or _joined([run.title for run in runs]),
        description=runs[0].description if len(runs) == 1 else "",
        series=series,
        count=len(pieces),
        drawn=sum(len(run.candidates()) for run in runs),
    )
    shared = {"site": whole, "version": __version__}
    index = environment.get_template("index.html").render(**shared, root="")
    (site / "index.html").write_text(index, "utf-8")
    page = environment.get_template("piece.html")
    around = [None, *pieces, None]
    for previous, piece, following in zip(around, pieces, around[2:], strict=False):
        text = page.render(**shared, root="../", piece=piece, previous=previous, next=following)
        (site / piece.page).write_text(text, "utf-8")


def _rows(pieces: Sequence[Piece]) -> tuple[Row, ...]:
    split = layout.rows([piece.ratio for piece in pieces])
    return tuple(
        Row(tuple(pieces[at] for at in row), round(sum(pieces[at].ratio for at in row), 4)) for row in split
    )


def _joined(titles: Sequence[str]) -> str:
    different = list(dict.fromkeys(titles))
    return " and ".join(different) if len(different) <= 2 else "Gallery"
