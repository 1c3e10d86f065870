"""Publishing from Python: runs and folders of pictures become a static site, here or elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError, artgen_command
from artgen.events import Emit, ignore_event
from artgen.runs.lookup import find_run_folder, is_run_folder
from artgen.runs.store import Run

if TYPE_CHECKING:
    from artgen.gallery.publish.builder import PublishRequest, PublishSummary
    from artgen.gallery.works.settings import SiteSettings

DEFAULT_SITE_FOLDER = Path("gallery")


def publish(
    sources: Run | Path | str | Sequence[Run | Path | str] = (),
    *,
    to: Path | str = DEFAULT_SITE_FOLDER,
    settings: Path | str | None = None,
    templates: Path | str | None = None,
    all_candidates: bool = False,
    originals: bool | None = None,
    title: str | None = None,
    force: bool = False,
    workers: int | None = None,
    runs_folder: Path | str = "runs",
    emit: Emit = ignore_event,
) -> PublishSummary:
    """Publish the picks of runs, and folders of pictures, as a static site, from Python.

    Files of the site that have not changed are kept; files in its folder that artgen did not make, too.

    Args:
        sources: one or several of: an open run, a run's name, its folder, or a folder of pictures; by
            default the last run.
        to: the site's folder, ``gh-pages``, or an rsync target such as ``user@host:path``.
        settings: the site's settings; by default ``gallery.toml`` in the working folder.
        templates: a folder with templates that replace artgen's.
        all_candidates: publish every candidate, not only the picks.
        originals: whether visitors may download the pictures as they were made.
        title: the site's title.
        force: remove other series from the site, and publish into a folder that artgen did not make.
        workers: worker processes; by default one per core.
        runs_folder: the folder of all runs.
        emit: called with each event of ``artgen.events``, e.g. to show progress.

    Returns:
        The site's first page, its pieces, and what was made, kept, removed, left out and uploaded.

    Raises:
        ArtgenError: nothing is picked, a setting is wrong, series would be lost, or the target is not
            reachable.

    Examples:
        >>> with artgen.run("sea.toml", candidates=2, preview=True) as run:
        ...     run.pick(1, True)
        ...     summary = artgen.publish(run, to="site")
        >>> summary.index.is_file(), summary.series
        (True, 1)
    """
    from artgen.gallery.deploy.targets import is_remote_target, send_site
    from artgen.gallery.publish.builder import publish_site

    with prepare_publishing(
        sources,
        to=to,
        settings=settings,
        templates=templates,
        all_candidates=all_candidates,
        originals=originals,
        title=title,
        force=force,
        workers=workers,
        runs_folder=runs_folder,
    ) as request:
        summary = publish_site(request, emit)
    if not is_remote_target(str(to)):
        return summary
    return replace(summary, upload=send_site(request.target, str(to), emit, force=force))


@contextmanager
def prepare_publishing(
    sources: Run | Path | str | Sequence[Run | Path | str] = (),
    *,
    to: Path | str = DEFAULT_SITE_FOLDER,
    settings: Path | str | None = None,
    templates: Path | str | None = None,
    all_candidates: bool = False,
    originals: bool | None = None,
    title: str | None = None,
    force: bool = False,
    workers: int | None = None,
    runs_folder: Path | str = "runs",
) -> Iterator[PublishRequest]:
    """Open the runs and check everything that publishing needs; see ``publish`` for the arguments.

    Yields:
        What to publish, for ``plan_publishing`` or ``publish_site``.

    Raises:
        ArtgenError: as ``publish``.
    """
    from artgen.gallery.deploy.targets import check_target, is_remote_target
    from artgen.gallery.pages.templates import find_own_templates
    from artgen.gallery.publish.builder import PublishRequest
    from artgen.gallery.works.settings import load_settings

    references = [sources] if isinstance(sources, Run | Path | str) else list(sources)
    changes = {"title": title, "originals": originals}
    site_settings = load_settings(
        Path(settings) if settings is not None else None,
        **{name: value for name, value in changes.items() if value is not None},
    )
    site = DEFAULT_SITE_FOLDER if is_remote_target(str(to)) else Path(to)
    check_target(DEFAULT_SITE_FOLDER, str(to))
    with ExitStack() as stack:
        opened = _open_sources(references, Path(runs_folder), stack)
        if not references and not force:
            _refuse_removal(opened, site, Path(runs_folder), str(to))
        folder = site_settings.folder if settings else _settings_folder(site_settings, opened)
        own_templates = find_own_templates(Path(templates) if templates is not None else None, folder)
        yield PublishRequest(opened, site, site_settings, own_templates, all_candidates, force, workers)


def _open_sources(
    references: Sequence[Run | Path | str], runs_folder: Path, stack: ExitStack
) -> list[Run | Path]:
    """Open the runs and list the folders of pictures that are to be published, without duplicates."""
    sources: dict[Path, Run | Path] = {}
    for reference in references or (None,):
        if isinstance(reference, Run):
            sources.setdefault(reference.folder.resolve(), reference)
            continue
        path = Path(reference) if reference else None
        if path is not None and path.exists() and not is_run_folder(path):
            sources.setdefault(path.resolve(), path)
            continue
        folder = find_run_folder(str(reference) if reference else None, runs_folder).resolve()
        if folder not in sources:
            sources[folder] = stack.enter_context(Run.open(folder))
    return list(sources.values())


def _refuse_removal(opened: Sequence[Run | Path], site: Path, runs_folder: Path, to: str) -> None:
    """Refuse to publish the last run alone onto a site that shows other series, which would be removed."""
    from artgen.gallery.publish import manifest
    from artgen.gallery.works import slugs

    requested = {slugs.slugify(run.name): run.name for run in opened if isinstance(run, Run)}
    series = manifest.read_manifest(site.expanduser()).series
    others = [slug for slug in series if slug not in requested]
    if not others:
        return
    names = {slugs.slugify(path.name): path.name for path in runs_folder.iterdir() if path.is_dir()}
    names |= requested
    arguments = [names.get(slug, slug) for slug in dict.fromkeys([*series, *requested])]
    target = [] if Path(to) == DEFAULT_SITE_FOLDER else ["--to", to]
    raise ArtgenError(
        str(site),
        f"also shows {', '.join(names.get(slug, slug) for slug in others)}, which would be removed",
        "name them too, or --force",
        artgen_command("publish", *arguments, *target),
    )


def _settings_folder(settings: SiteSettings, sources: Sequence[Run | Path]) -> Path | None:
    """Return the folder of the ``gallery.toml`` that was read, or None where it is the folder of a run."""
    run_folders = {source.folder.resolve() for source in sources if isinstance(source, Run)}
    folder = settings.folder
    return None if folder is None or folder.resolve() in run_folders else folder
