"""Works become a site: static files, relative links; only what changed is made anew."""

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
from artgen.gallery.publish import manifest
from artgen.gallery.publish.hashes import Hashes
from artgen.gallery.publish.manifest import Made, Manifest
from artgen.gallery.publish.plan import MISSING, Plan, Planned, decided, plan, words_of
from artgen.gallery.publish.staging import MANIFEST, building, finish, link
from artgen.gallery.works.collect import collect_artworks

if TYPE_CHECKING:
    from artgen.gallery.works.settings import SiteSettings
    from artgen.gallery.works.work import ArtworkCollection
    from artgen.runs.store import Run


@dataclass(frozen=True)
class Summary:
    """What was published.

    Attributes:
        index: the site's first page.
        pieces: the page of each piece, in order.
        series: how many there are.
        made: slugs of the works whose files were made now.
        kept: how many works stayed as they were.
        removed: slugs of works that are gone.
        problems: works that could not be published, and files that a text lacks, each with its reason.
        touched: whether anything changed at all.
    """

    index: Path
    pieces: tuple[Path, ...]
    series: int
    made: tuple[str, ...]
    kept: int
    removed: tuple[str, ...]
    problems: tuple[ArtgenError, ...]
    touched: bool


@dataclass(frozen=True)
class Order:
    """What is published, where, and how.

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


class _Unchanged(Exception):
    """Ends a building that came to nothing new."""


def look(order: Order, emit: Emit = ignore_event) -> Plan:
    """Return what publishing would do, without writing anything.

    Args:
        order: what is asked for.
        emit: told what is left out.

    Raises:
        ArtgenError: a run without picks, or a target that lies around what is published.
    """
    return _look(order, Hashes(order.target), emit)[2]


def publish(order: Order, emit: Emit = ignore_event) -> Summary:
    """Build the site and switch it into its folder; where nothing changed nothing is touched.

    Args:
        order: what is asked for.
        emit: told how far it has come.

    Raises:
        ArtgenError: a run without picks, a folder that must not be replaced, or not one work that could be
            published: then the site that was there stands.
    """
    finish(order.target, order.force)
    hashes = Hashes(order.target)
    collection, old, planned = _look(order, hashes, emit)
    if planned.idle:
        hashes.remember()
        return _summary(order, collection, planned, old.works, planned.problems, touched=False)
    if not planned.works:
        raise _nothing_left(planned.problems)
    touched = True
    try:
        with building(order.target, order.force) as site:
            made, problems = _make(order, planned, old, site, emit)
            if not made:
                raise _nothing_left(problems)
            parts = {slug: each.parts for slug, each in made.items()}
            wanted = decided(collection, parts, order.settings, hashes, order.templates)
            news = any(slug in made for slug in (each.work.slug for each in planned.made))
            if not news and not planned.removed and wanted == old.decided and planned.pages != MISSING:
                raise _Unchanged
            if order.templates:  # said each time: they decide what the site does in a browser
                emit(Note(f"pages by your own templates in {order.templates}"))
            pages = _write_pages(order, collection, old, made, site)
            noted = Manifest(made, pages, wanted)
            (site / MANIFEST).write_text(noted.text(), "utf-8")
    except _Unchanged:
        touched = False
    hashes.remember()
    return _summary(order, collection, planned, made, problems, touched=touched)


def _look(order: Order, hashes: Hashes, emit: Emit) -> tuple[ArtworkCollection, Manifest, Plan]:
    target = order.target.expanduser().resolve()
    for source in order.sources:
        place = (source if isinstance(source, Path) else source.folder).resolve()
        if place.is_relative_to(target):
            found = f"holds {'the pictures' if isinstance(source, Path) else f'the run {source.name}'}"
            raise ArtgenError(str(order.target), found, "name another folder with --to")
    collection = collect_artworks(
        order.sources, order.settings, all_candidates=order.everything, excluded_folder=target, emit=emit
    )
    old = manifest.read(target)
    return collection, old, plan(collection, order.settings, old, target, hashes, order.templates)


def _nothing_left(problems: Sequence[ArtgenError]) -> ArtgenError:
    return problems[0] if len(problems) == 1 else ValidationErrors("publish", problems)


def _make(
    order: Order, planned: Plan, old: Manifest, site: Path, emit: Emit
) -> tuple[dict[str, Made], tuple[ArtgenError, ...]]:
    """Bring over the files of works that stay, and make those of the others."""
    for name in MEDIA_FOLDERS:
        (site / name).mkdir()
    made: dict[str, Made] = {}
    target = order.target.expanduser().resolve()
    for each in planned.works:
        if not each.why:
            kept = old.works[each.work.slug]
            for name in kept.files:
                link(target / name, site / name)
            made[each.work.slug] = kept
    problems = list(planned.problems)
    wanted = {each.work.slug: each for each in planned.made}
    tasks = [_task(each, order.settings) for each in wanted.values()]
    if tasks:
        from artgen.gallery.publish.pool import rendered

        for task, result in rendered(tasks, site, emit, order.workers):
            if isinstance(result, ArtgenError):
                problems.append(result)
                remove_files(task.slug, site)
                continue
            if result.withheld:
                emit(Note(f"no original to download: {result.withheld}"))
            files = tuple(sorted(list_written_files(result, site)))
            made[task.slug] = Made(wanted[task.slug].parts, result, files)
    for name in MEDIA_FOLDERS:
        if not any((site / name).iterdir()):
            (site / name).rmdir()
    ordered = {each.work.slug: made[each.work.slug] for each in planned.works if each.work.slug in made}
    return ordered, tuple(problems)


def _task(planned: Planned, settings: SiteSettings) -> RenderTask:
    work = planned.work
    return RenderTask(
        work.slug,
        work.source,
        work.film,
        tuple((stage.preview, stage.width, stage.height) for stage in work.stages),
        words_of(work, settings),
        settings.rendition_settings(),
        settings.originals,
    )


def _write_pages(
    order: Order, collection: ArtworkCollection, old: Manifest, made: dict[str, Made], site: Path
) -> dict[str, str]:
    """Write pages and what they need; those that are as they were are brought over. Hashes of all."""
    from artgen.gallery.pages.pages import pages
    from artgen.gallery.pages.site import make_site

    target = order.target.expanduser().resolve()
    zoom = any(each.rendered.pyramid for each in made.values())
    for name, file in templates.assets(order.templates, zoom):
        _bring(file.read_bytes(), target / name, site / name)
    enclosed = enclosures.enclosures(order.settings)
    for enclosure in enclosed:
        enclosures.write(enclosure, site / enclosure.file)
    about = order.settings.find_about_file()
    text = about.read_text("utf-8-sig", "replace") if about else ""
    moved = {each.address: each.link for each in enclosed}
    rendered = {slug: each.rendered for slug, each in made.items()}
    whole = make_site(collection, rendered, order.settings, text, moved)
    hashes = {}
    for name, page in pages(whole, order.templates):
        content = page.encode("utf-8", "replace")
        hashes[name] = hashlib.sha256(content).hexdigest()
        _bring(content, target / name, site / name)
    return hashes


def _bring(content: bytes, before: Path, file: Path) -> None:
    """Write a file; the same one that is there already keeps its date, so that it need not be sent again."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        same = before.lstat().st_size == len(content) and before.read_bytes() == content
    except OSError:
        same = False
    if same:
        link(before, file)
    else:
        file.write_bytes(content)


def _summary(
    order: Order,
    collection: ArtworkCollection,
    planned: Plan,
    made: Mapping[str, object],
    problems: tuple[ArtgenError, ...],
    *,
    touched: bool,
) -> Summary:
    shown = [work for work in collection.works if work.slug in made]
    new = tuple(each.work.slug for each in planned.made if each.work.slug in made)
    return Summary(
        index=order.target / "index.html",
        pieces=tuple(order.target / f"pieces/{work.slug}.html" for work in shown),
        series=len({work.series for work in shown}),
        made=new,
        kept=len(shown) - len(new),
        removed=planned.removed,
        problems=problems,
        touched=touched,
    )
