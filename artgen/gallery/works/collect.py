"""Which works are published, and in which order: the artist's picks, and pictures from folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError, Problems
from artgen.events import Emit, Note, ignore
from artgen.gallery.works import folders, slugs
from artgen.gallery.works.work import Collection, Series, StageFile, Work

if TYPE_CHECKING:
    from artgen.gallery.works.folders import Found
    from artgen.gallery.works.settings import Order, SeriesSettings, Settings
    from artgen.runs.candidate import Candidate
    from artgen.runs.store import Run

FILM = "film.mp4"  # where `artgen film` leaves it
# A series before it is known which others there are: what tells each of its works apart, and the work.
_Gathered = tuple[Series, list[tuple[str, Work]]]


def collect(
    sources: Sequence[Run | Path],
    settings: Settings,
    *,
    everything: bool = False,
    but: Path | None = None,
    emit: Emit = ignore,
) -> Collection:
    """Gather what is published.

    Args:
        sources: open runs, and folders (or files) of pictures; each run and each folder is a series.
        settings: titles, statements, the order of series and of works.
        everything: every candidate of a run, picked or not.
        but: a folder, resolved, whose pictures are left out: the site itself may lie in one of them.
        emit: told of pictures that are of no kind that is shown.

    Raises:
        ArtgenError: a run without picks, a folder without pictures.
        Problems: several of those.
    """
    gathered: list[_Gathered] = []
    problems: list[ArtgenError] = []
    for source in sources:
        try:
            if isinstance(source, Path):
                gathered += _folders(source, settings, but)
            else:
                gathered.append(_run(source, settings, everything))
        except ArtgenError as error:
            problems.append(error)
    if problems:
        raise problems[0] if len(problems) == 1 else Problems("publish", problems)
    _tell_left_out([source for source in sources if isinstance(source, Path)], but, emit)
    gathered.sort(key=lambda each: _place(each[0].name, settings))
    addresses = iter(slugs.unique((work.slug, apart) for _, works in gathered for apart, work in works))
    series = slugs.unique((each.slug, str(number)) for number, (each, _) in enumerate(gathered))
    return Collection(
        tuple(replace(each, slug=slug) for (each, _), slug in zip(gathered, series, strict=True)),
        tuple(
            replace(work, slug=next(addresses), series=number)
            for number, (_, works) in enumerate(gathered)
            for _, work in works
        ),
    )


def _tell_left_out(places: Sequence[Path], but: Path | None, emit: Emit) -> None:
    kinds = sum((folders.left_out(place, but) for place in places), Counter[str]())
    if count := kinds.total():
        listed = ", ".join(f"{ending} ({number})" for ending, number in kinds.most_common())
        emit(Note(f"{count} file{'s' if count > 1 else ''} left out: {listed}"))


def _place(name: str, settings: Settings) -> int:
    """Those that ``gallery.toml`` names come first, as it lists them."""
    said = _said(name, settings)
    return settings.series.index(said) if said else len(settings.series)


def _said(name: str, settings: Settings) -> SeriesSettings | None:
    """What ``gallery.toml`` says of the series called ``name``."""
    recipe = name.removesuffix("-preview").rpartition("-")[0]
    for matches in (name.__eq__, recipe.__eq__, name.startswith):
        for each in settings.series:
            if matches(each.run):
                return each
    return None


def _run(run: Run, settings: Settings, everything: bool) -> _Gathered:
    said = _said(run.name, settings)
    title = (said and said.title) or run.title
    candidates = run.candidates()
    kept_at = run.decisions.history.kept_at
    chosen = [candidate for candidate in candidates if everything or candidate.picked]
    film = run.folder / FILM
    if not chosen and not film.is_file():
        raise _nothing(run, candidates, everything)
    order = (said and said.order) or settings.order
    if order == "picked" and not everything:
        places = {number: place for place, number in enumerate(kept_at)}
        chosen.sort(key=lambda each: places.get(each.index, len(places)))
    elif order == "newest":
        chosen.reverse()
    works = [
        (str(candidate.index), _candidate(run, candidate, title, kept_at.get(candidate.index, "")))
        for candidate in chosen
    ]
    if film.is_file():
        still = candidates[len(candidates) // 2].file if candidates else film
        words = f"{title}, film"
        name = f"{slugs.plain(run.name)}-film"
        works.append(("film", Work(name, 0, "", words, "", words, "", still, film=film)))
    statement = (said and said.statement) or run.description
    return Series(slugs.plain(run.name), run.name, title, statement, len(candidates)), [
        (f"{run.folder.resolve()}/{apart}", work) for apart, work in works
    ]


def _nothing(run: Run, candidates: Sequence[Candidate], everything: bool) -> ArtgenError:
    if everything or not candidates:
        return ArtgenError(run.name, "has no candidates yet", "make some with artgen run")
    return ArtgenError(
        run.name,
        f"none of its {len(candidates)} candidates is picked",
        f"pick on the contact sheet (artgen curate {run.name}) or by number; --all publishes every candidate",
        f"artgen pick {run.name} {candidates[0].index}",
    )


def _candidate(run: Run, candidate: Candidate, title: str, at: str) -> Work:
    from artgen.gallery.works.step_names import plain_caption, stage_name

    number = f"No. {candidate.index}"
    own = candidate.title or f"{title}, {number[:1].lower()}{number[1:]}"
    stages = tuple(
        StageFile(
            name := stage_name(stage.use),
            f"{name}: {stage.width} by {stage.height} pixels",
            stage.width,
            stage.height,
            stage.preview,
        )
        for stage in candidate.stages
    )
    caption = candidate.caption
    return Work(
        slug=f"{slugs.plain(run.name) or 'piece'}-{candidate.index:04d}",
        series=0,
        number=number,
        title=own,
        caption="" if caption == plain_caption(run.title, candidate.index) else caption,
        alt=candidate.alt or caption or own,
        at=at,
        source=candidate.file,
        stages=stages,
        candidate=candidate,
        recipe=run.recipe_text,
        run=run.name,
    )


def _folders(place: Path, settings: Settings, but: Path | None) -> Iterator[_Gathered]:
    top = place.resolve()
    for folder, found in folders.folders(place, but):
        inside = folder.resolve().relative_to(top.parent).as_posix()
        within = folder.resolve().relative_to(top).parts
        name = folder.resolve().name
        said = _said(name, settings)
        words = folders.title_of(Path(f"{name}/") if folder.is_dir() else folder)
        series = Series(
            slugs.plain(Path(inside).stem if folder.is_file() else inside),
            name,
            (said and said.title) or words,
            (said and said.statement) or "",
            0,
        )
        order: Order = (said and said.order) or settings.order
        works = [(f"{inside}/{each.file.name}", _picture(each, within)) for each in found]
        yield series, works[::-1] if order == "newest" else works


def _picture(found: Found, within: tuple[str, ...]) -> Work:
    """Its address begins with the inner folders': it must not change when one of its name comes elsewhere."""
    named = found.film or found.file
    title = folders.title_of(named)
    return Work("-".join([*within, named.stem]), 0, "", title, "", title, "", found.file, film=found.film)
