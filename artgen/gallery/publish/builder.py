"""Publishing of artworks as a static site with relative links; only what changed is rendered again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError, ValidationErrors
from artgen.events import Emit, Note, ignore_event
from artgen.gallery.media.render import MEDIA_FOLDERS, RenderTask, list_written_files, remove_files
from artgen.gallery.pages import enclosures, templates
from artgen.gallery.pages.about import read_about_text
from artgen.gallery.publish.hashes import FileHashes
from artgen.gallery.publish.manifest import MANIFEST_FILE, Manifest, PublishedArtwork, read_manifest
from artgen.gallery.publish.plan import (
    MISSING_REASON,
    Plan,
    PlannedArtwork,
    describe_embedded_metadata,
    hash_page_parts,
    plan_site,
)
from artgen.gallery.publish.staging import finish_switch, link_or_copy, staged_site
from artgen.gallery.works.collect import collect_artworks
from artgen.imaging.io.survey import describe_pictures

if TYPE_CHECKING:
    from artgen.gallery.deploy.upload_set import UploadResult
    from artgen.gallery.works.settings import SiteSettings
    from artgen.gallery.works.work import ArtworkCollection
    from artgen.runs.store import Run


@dataclass(frozen=True)
class PublishSummary:
    """What a publishing did to the site: its pages, artworks and problems.

    Attributes:
        index: the site's first page.
        pieces: the page of each piece, in order.
        series: how many there are.
        made: slugs of the artworks whose files were rendered now.
        kept: how many works stayed as they were.
        removed: slugs of works that are gone.
        problems: works that could not be published, and files that a text lacks, each with its reason.
        touched: whether anything changed at all.
        upload: what was sent to a remote target; None if the site stays in its folder.
    """

    index: Path
    pieces: tuple[Path, ...]
    series: int
    made: tuple[str, ...]
    kept: int
    removed: tuple[str, ...]
    problems: tuple[ArtgenError, ...]
    touched: bool
    upload: UploadResult | None = None


@dataclass(frozen=True)
class PublishRequest:
    """What to publish as a site, where, and how.

    Args:
        sources: open runs, and folders of pictures; each becomes a series.
        target: the site's folder. Files in it that artgen did not make are kept.
        settings: of the site.
        templates: a folder whose files stand in the place of ours.
        everything: every candidate, picked or not.
        force: publish into a folder that artgen did not make.
        workers: processes; by default one for each core.
    """

    sources: Sequence[Run | Path]
    target: Path
    settings: SiteSettings
    templates: Path | None = None
    everything: bool = False
    force: bool = False
    workers: int | None = None


class _SiteUnchanged(Exception):
    """Stops a publishing that would not change the site."""


def plan_publishing(request: PublishRequest, emit: Emit = ignore_event) -> Plan:
    """Return what publishing would do, without writing anything.

    Args:
        request: what is asked for.
        emit: receives notes about files that are left out.

    Raises:
        ArtgenError: a run without picks, or a target that lies around what is published.
    """
    return _collect_and_plan(request, FileHashes(request.target), emit)[2]


def publish_site(request: PublishRequest, emit: Emit = ignore_event) -> PublishSummary:
    """Build the site and move it into its folder; if nothing changed, no file is touched.

    Args:
        request: what is asked for.
        emit: receives the progress.

    Raises:
        ArtgenError: a run without picks, a folder that must not be replaced, or not one work that could be
            published: then the site that was there stands.
    """
    finish_switch(request.target, request.force)
    hashes = FileHashes(request.target)
    collection, old_manifest, planned = _collect_and_plan(request, hashes, emit)
    if planned.idle:
        hashes.remember()
        return _summarize(request, collection, planned, old_manifest.works, planned.problems, touched=False)
    if not planned.works:
        raise _no_work_error(planned.problems)
    touched = True
    try:
        with staged_site(request.target, request.force) as site:
            works, problems = _make_artworks(request, planned, old_manifest, site, emit)
            if not works:
                raise _no_work_error(problems)
            parts = {slug: work.parts for slug, work in works.items()}
            page_hashes = hash_page_parts(collection, parts, request.settings, hashes, request.templates)
            has_new_files = any(slug in works for slug in (artwork.work.slug for artwork in planned.made))
            if (
                not has_new_files
                and not planned.removed
                and page_hashes == old_manifest.decided
                and planned.pages != MISSING_REASON
            ):
                raise _SiteUnchanged
            if request.templates:  # said each time: they decide what the site does in a browser
                emit(Note(f"pages by your own templates in {request.templates}"))
            pages = _write_pages(request, collection, old_manifest, works, site)
            manifest = Manifest(works, pages, page_hashes)
            (site / MANIFEST_FILE).write_text(manifest.text(), "utf-8")
    except _SiteUnchanged:
        touched = False
    hashes.remember()
    return _summarize(request, collection, planned, works, problems, touched=touched)


def _collect_and_plan(
    request: PublishRequest, hashes: FileHashes, emit: Emit
) -> tuple[ArtworkCollection, Manifest, Plan]:
    target = request.target.expanduser().resolve()
    for source in request.sources:
        source_path = (source if isinstance(source, Path) else source.folder).resolve()
        if source_path.is_relative_to(target):
            problem = f"holds {'the pictures' if isinstance(source, Path) else f'the run {source.name}'}"
            raise ArtgenError(str(request.target), problem, "name another folder with --to")
    collection = collect_artworks(
        request.sources,
        request.settings,
        all_candidates=request.everything,
        excluded_folder=target,
        emit=emit,
    )
    old_manifest = read_manifest(target)
    return (
        collection,
        old_manifest,
        plan_site(collection, request.settings, old_manifest, target, hashes, request.templates),
    )


def _no_work_error(problems: Sequence[ArtgenError]) -> ArtgenError:
    return problems[0] if len(problems) == 1 else ValidationErrors("publish", problems)


def _make_artworks(
    request: PublishRequest, planned: Plan, old_manifest: Manifest, site: Path, emit: Emit
) -> tuple[dict[str, PublishedArtwork], tuple[ArtgenError, ...]]:
    """Link the files of unchanged artworks into the new site, and render those of the others."""
    for name in MEDIA_FOLDERS:
        (site / name).mkdir()
    published: dict[str, PublishedArtwork] = {}
    target = request.target.expanduser().resolve()
    for artwork in planned.works:
        if not artwork.why:
            unchanged = old_manifest.works[artwork.work.slug]
            for name in unchanged.files:
                link_or_copy(target / name, site / name)
            published[artwork.work.slug] = unchanged
    problems = list(planned.problems)
    planned_by_slug = {artwork.work.slug: artwork for artwork in planned.made}
    tasks = [_render_task(artwork, request.settings) for artwork in planned_by_slug.values()]
    if tasks:
        from artgen.gallery.publish.pool import render_artworks

        # The poster of a film may be the film.
        pictures = [task.source for task in tasks if task.source != task.film]
        for note in describe_pictures(pictures, unreadable=False):
            emit(Note(note))
        for task, result in render_artworks(tasks, site, emit, request.workers):
            if isinstance(result, ArtgenError):
                problems.append(result)
                remove_files(task.slug, site)
                continue
            if result.withheld:
                emit(Note(f"no original to download: {result.withheld}"))
            files = tuple(sorted(list_written_files(result, site)))
            published[task.slug] = PublishedArtwork(planned_by_slug[task.slug].parts, result, files)
    for name in MEDIA_FOLDERS:
        if not any((site / name).iterdir()):
            (site / name).rmdir()
    ordered = {
        artwork.work.slug: published[artwork.work.slug]
        for artwork in planned.works
        if artwork.work.slug in published
    }
    return ordered, tuple(problems)


def _render_task(planned: PlannedArtwork, settings: SiteSettings) -> RenderTask:
    work = planned.work
    return RenderTask(
        work.slug,
        work.source,
        work.film,
        tuple((stage.preview, stage.width, stage.height) for stage in work.stages),
        describe_embedded_metadata(work, settings),
        settings.rendition_settings(),
        settings.originals,
    )


def _write_pages(
    request: PublishRequest,
    collection: ArtworkCollection,
    old_manifest: Manifest,
    works: dict[str, PublishedArtwork],
    site: Path,
) -> dict[str, str]:
    """Write the pages, assets and attachments; return the hash of each page by its path."""
    from artgen.gallery.pages.pages import build_pages
    from artgen.gallery.pages.site import make_site

    target = request.target.expanduser().resolve()
    zoom = any(work.rendered.pyramid for work in works.values())
    for name, file in templates.list_assets(request.templates, zoom):
        _write_or_link(file.read_bytes(), target / name, site / name)
    attachments = enclosures.find_enclosures(request.settings)
    for enclosure in attachments:
        enclosures.write_enclosure(enclosure, site / enclosure.file)
    about = request.settings.find_about_file()
    text = read_about_text(about) if about else ""
    links = {attachment.address: attachment.link for attachment in attachments}
    rendered = {slug: work.rendered for slug, work in works.items()}
    gallery = make_site(collection, rendered, request.settings, text, links)
    hashes = {}
    for name, page in build_pages(gallery, request.templates):
        content = page.encode("utf-8", "replace")
        hashes[name] = hashlib.sha256(content).hexdigest()
        _write_or_link(content, target / name, site / name)
    return hashes


def _write_or_link(content: bytes, old_file: Path, file: Path) -> None:
    """Write a site's file, or link the old one of the same content: its date stays and rsync skips it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        is_unchanged = old_file.lstat().st_size == len(content) and old_file.read_bytes() == content
    except OSError:
        is_unchanged = False
    if is_unchanged:
        link_or_copy(old_file, file)
    else:
        file.write_bytes(content)


def _summarize(
    request: PublishRequest,
    collection: ArtworkCollection,
    planned: Plan,
    published: Mapping[str, object],
    problems: tuple[ArtgenError, ...],
    *,
    touched: bool,
) -> PublishSummary:
    works = [work for work in collection.works if work.slug in published]
    made_slugs = tuple(artwork.work.slug for artwork in planned.made if artwork.work.slug in published)
    return PublishSummary(
        index=request.target / "index.html",
        pieces=tuple(request.target / f"pieces/{work.slug}.html" for work in works),
        series=len({work.series for work in works}),
        made=made_slugs,
        kept=len(works) - len(made_slugs),
        removed=planned.removed,
        problems=problems,
        touched=touched,
    )
