"""Collection of the artworks to publish, in order: picked candidates of runs, and pictures from folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError, ValidationErrors, artgen_command
from artgen.events import Emit, Note, ignore_event
from artgen.gallery.works import dates, folders, slugs
from artgen.gallery.works.work import Artwork, ArtworkCollection, ArtworkSeries, StagePreview
from artgen.imaging.io.survey import describe_passed_over

if TYPE_CHECKING:
    from artgen.gallery.works.folders import MediaFile
    from artgen.gallery.works.settings import PieceOrder, SeriesSettings, SiteSettings
    from artgen.runs.candidate import Candidate
    from artgen.runs.store import Run

RUN_FILM_NAME = "film.mp4"  # written by `artgen film` into the run's folder
# A series and its artworks, each with a key that no other artwork has; see `slugs.unique_slugs`.
_KeyedSeries = tuple[ArtworkSeries, list[tuple[str, Artwork]]]


def collect_artworks(
    sources: Sequence[Run | Path],
    settings: SiteSettings,
    *,
    all_candidates: bool = False,
    excluded_folder: Path | None = None,
    emit: Emit = ignore_event,
) -> ArtworkCollection:
    """Collect the artworks to publish from runs and folders, in order.

    Args:
        sources: open runs, and folders (or files) of pictures; each run and each folder is a series.
        settings: titles, statements, the order of series and of artworks.
        all_candidates: take every candidate of a run, picked or not.
        excluded_folder: a resolved path; pictures in it are left out, as the site may be in a source folder.
        emit: receives a note about files of kinds that a site cannot show.

    Raises:
        ArtgenError: a run has no picks, or a folder no pictures.
        ValidationErrors: several of these.
    """
    keyed_series: list[_KeyedSeries] = []
    errors: list[ArtgenError] = []
    for source in sources:
        try:
            if isinstance(source, Path):
                keyed_series += _collect_from_path(source, settings, excluded_folder)
            else:
                keyed_series.append(_collect_from_run(source, settings, all_candidates))
        except ArtgenError as error:
            errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else ValidationErrors("publish", errors)
    paths = [source for source in sources if isinstance(source, Path)]
    unshown = [file for path in paths for file in folders.list_unshown_files(path, excluded_folder)]
    for note in describe_passed_over(unshown):
        emit(Note(note))
    keyed_series.sort(key=lambda pair: _series_position(pair[0].name, settings))
    artwork_slugs = iter(
        slugs.unique_slugs((artwork.slug, key) for _, artworks in keyed_series for key, artwork in artworks)
    )
    series_slugs = slugs.unique_slugs(
        (series.slug, str(number)) for number, (series, _) in enumerate(keyed_series)
    )
    return ArtworkCollection(
        tuple(
            replace(series, slug=slug) for (series, _), slug in zip(keyed_series, series_slugs, strict=True)
        ),
        tuple(
            replace(artwork, slug=next(artwork_slugs), series=number)
            for number, (_, artworks) in enumerate(keyed_series)
            for _, artwork in artworks
        ),
    )


def _series_position(name: str, settings: SiteSettings) -> int:
    """Return a series' place on the site: those in ``gallery.toml`` come first, in its order."""
    series_settings = _find_series_settings(name, settings)
    return settings.series.index(series_settings) if series_settings else len(settings.series)


def _find_series_settings(name: str, settings: SiteSettings) -> SeriesSettings | None:
    """Find the table of ``gallery.toml`` that names this run, its recipe, or the beginning of its name."""
    recipe_name = name.removesuffix("-preview").rpartition("-")[0]
    for matches in (name.__eq__, recipe_name.__eq__, name.startswith):
        for series_settings in settings.series:
            if matches(series_settings.run):
                return series_settings
    return None


def _collect_from_run(run: Run, settings: SiteSettings, all_candidates: bool) -> _KeyedSeries:
    series_settings = _find_series_settings(run.name, settings)
    title = (series_settings and series_settings.title) or run.title
    candidates = run.candidates()
    pick_times = run.decisions.history.kept_times
    published = [candidate for candidate in candidates if all_candidates or candidate.picked]
    film = run.folder / RUN_FILM_NAME
    if not published and not film.is_file():
        raise _nothing_to_publish(run, candidates, all_candidates)
    order = (series_settings and series_settings.order) or settings.order
    if order == "picked" and not all_candidates:
        positions = {index: position for position, index in enumerate(pick_times)}
        published.sort(key=lambda candidate: positions.get(candidate.index, len(positions)))
    elif order == "newest":
        published.reverse()
    keyed_artworks = [
        (
            str(candidate.index),
            _artwork_of_candidate(run, candidate, title, pick_times.get(candidate.index, "")),
        )
        for candidate in published
    ]
    if film.is_file():
        poster = candidates[len(candidates) // 2].file if candidates else film
        film_title, is_loop = f"{title}, film", _is_closed_walk(run, candidates)
        slug = f"{slugs.slugify(run.name)}-film"
        keyed_artworks.append(
            ("film", Artwork(slug, 0, "", film_title, "", film_title, "", poster, (), film, is_loop))
        )
    statement = (series_settings and series_settings.statement) or run.description
    return ArtworkSeries(slugs.slugify(run.name), run.name, title, statement, len(candidates)), [
        (f"{run.folder.resolve()}/{key}", artwork) for key, artwork in keyed_artworks
    ]


def _is_closed_walk(run: Run, candidates: Sequence[Candidate]) -> bool:
    """Return whether the candidates are the frames of whole rounds of a walk, so that their film loops."""
    frame_count = sum(candidate.variation_of is None for candidate in candidates)
    return run.walk_length is not None and frame_count > 0 and frame_count % run.walk_length == 0


def _nothing_to_publish(run: Run, candidates: Sequence[Candidate], all_candidates: bool) -> ArtgenError:
    """Make the error for a run without picks or without candidates."""
    if all_candidates or not candidates:
        return ArtgenError(run.name, "has no candidates yet", "make some with artgen run")
    sheet_command = artgen_command("curate", run.name)
    return ArtgenError(
        run.name,
        f"none of its {len(candidates)} candidates is picked",
        f"pick on the contact sheet ({sheet_command}) or by number; --all publishes every candidate",
        artgen_command("pick", run.name, candidates[0].index),
    )


def _artwork_of_candidate(run: Run, candidate: Candidate, series_title: str, picked_at: str) -> Artwork:
    from artgen.gallery.works.step_names import default_caption, stage_name

    number = f"No. {candidate.index}"
    title = candidate.title or f"{series_title}, {number[:1].lower()}{number[1:]}"
    stages = tuple(
        StagePreview(
            name := stage_name(stage.use),
            f"{name}: {stage.width} by {stage.height} pixels",
            stage.width,
            stage.height,
            stage.preview,
        )
        for stage in candidate.stages
    )
    caption = candidate.caption
    return Artwork(
        slug=f"{slugs.slugify(run.name) or 'piece'}-{candidate.index:04d}",
        series=0,
        number=number,
        title=title,
        caption="" if caption == default_caption(run.title, candidate.index) else caption,
        alt=candidate.alt or caption or title,
        picked_at=picked_at,
        source=candidate.file,
        stages=stages,
        candidate=candidate,
        recipe=run.recipe_text,
        run=run.name,
    )


def _collect_from_path(
    path: Path, settings: SiteSettings, excluded_folder: Path | None
) -> Iterator[_KeyedSeries]:
    """Yield a series for each folder in ``path`` that has pictures, or one for a single file."""
    root = path.resolve()
    for folder, media_files in folders.find_picture_folders(path, excluded_folder):
        subfolders = () if folder == path else folder.relative_to(path).parts
        path_from_parent = PurePath(root.name, *subfolders).as_posix()
        name = PurePath(path_from_parent).name
        series_settings = _find_series_settings(name, settings)
        default_title = folders.title_from_file_name(Path(f"{name}/") if folder.is_dir() else folder)
        series = ArtworkSeries(
            slugs.slugify(Path(path_from_parent).stem if folder.is_file() else path_from_parent),
            name,
            (series_settings and series_settings.title) or default_title,
            (series_settings and series_settings.statement) or "",
            0,
        )
        order: PieceOrder = (series_settings and series_settings.order) or settings.order
        if order == "newest":
            media_files = sorted(media_files, key=lambda media: dates.read_time(media.picture), reverse=True)
        keyed_artworks = [
            (f"{path_from_parent}/{media_file.picture.name}", _artwork_of_file(media_file, subfolders))
            for media_file in media_files
        ]
        yield series, keyed_artworks


def _artwork_of_file(media_file: MediaFile, subfolders: tuple[str, ...]) -> Artwork:
    """Build the artwork of a picture or film in a folder.

    Its slug begins with the names of the subfolders, so that it stays the same when a file of the same name
    appears in another folder.
    """
    named_file = media_file.film or media_file.picture
    title = folders.title_from_file_name(named_file)
    slug = "-".join([*subfolders, named_file.stem])
    return Artwork(slug, 0, "", title, "", title, "", media_file.picture, film=media_file.film)
