"""Plan of a publishing: which artworks and pages are rendered again, and why."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import ArtgenError
from artgen.gallery.media import renditions, xmp
from artgen.gallery.media.xmp import EmbeddedMetadata
from artgen.gallery.pages import enclosures, feeds, templates
from artgen.hashing import json_hash
from artgen.version import __version__

if TYPE_CHECKING:
    from artgen.gallery.publish.hashes import FileHashes
    from artgen.gallery.publish.manifest import Manifest, PublishedArtwork
    from artgen.gallery.works.settings import SiteSettings
    from artgen.gallery.works.work import Artwork, ArtworkCollection

# Of each part of what decided a work's files, in the order of how telling it is.
ARTWORK_REASONS = {
    "picture": "picture changed",
    "film": "film changed",
    "stages": "stages changed",
    "words": "title, alt text, artist or rights changed",
    "settings": "settings changed",
}
PAGE_REASONS = {
    "works": "works changed",
    "settings": "settings changed",
    "texts": "templates, about.md or its files changed",
    "program": "artgen changed",
}
MISSING_REASON = "missing from the site"


@dataclass(frozen=True)
class PlannedArtwork:
    """An artwork to publish, and why its files are rendered; empty if they are kept.

    Attributes:
        work: the artwork.
        parts: hashes of everything that determines its files.
        why: the reason to render its files; empty if those in the site stay.
    """

    work: Artwork
    parts: dict[str, str]
    why: str


@dataclass(frozen=True)
class Plan:
    """What a publishing would render, keep and remove.

    Attributes:
        works: in order; without those of which a file cannot be read.
        removed: slugs of works that the site has and will have no more.
        pages: why pages are written; empty where they stay.
        problems: works that cannot be published, and files that a text lacks, each with its reason.
    """

    works: tuple[PlannedArtwork, ...]
    removed: tuple[str, ...]
    pages: str
    problems: tuple[ArtgenError, ...]

    @property
    def made(self) -> tuple[PlannedArtwork, ...]:
        """The planned artworks whose files are rendered."""
        return tuple(artwork for artwork in self.works if artwork.why)

    @property
    def idle(self) -> bool:
        """Whether the publishing leaves the site as it is."""
        return not (self.made or self.removed or self.pages)


def plan_site(
    collection: ArtworkCollection,
    settings: SiteSettings,
    old_manifest: Manifest,
    site: Path,
    hashes: FileHashes,
    own_templates: Path | None = None,
) -> Plan:
    """Compare the artworks to publish with the site that is there, without writing anything.

    Args:
        collection: what is wanted.
        settings: how.
        old_manifest: what the site says of itself.
        site: its folder.
        hashes: of every file that is read.
        own_templates: the artist's templates.

    Raises:
        ArtgenError: a template cannot be read.
    """
    intact_files = _find_intact_files(site, old_manifest)
    settings_hash = hash_file_settings(settings)
    works, problems = [], []
    for work in collection.works:
        try:
            parts = hash_artwork_parts(work, settings, hashes, settings_hash)
        except ArtgenError as error:
            problems.append(error)
            continue
        works.append(
            PlannedArtwork(
                work, parts, _explain_rendering(parts, old_manifest.works.get(work.slug), intact_files)
            )
        )
    problems += enclosures.find_missing_files(
        settings, site, set(_list_linkable_files(collection, own_templates))
    )
    slugs = {artwork.work.slug for artwork in works}
    page_hashes = hash_page_parts(
        collection, {artwork.work.slug: artwork.parts for artwork in works}, settings, hashes, own_templates
    )
    page_reason = next(
        (PAGE_REASONS[part] for part in PAGE_REASONS if page_hashes[part] != old_manifest.decided.get(part)),
        "",
    )
    works_files = {name for work in old_manifest.works.values() for name in work.files}
    if not page_reason and any(
        name not in intact_files for name in old_manifest.files if name not in works_files
    ):
        page_reason = MISSING_REASON
    return Plan(
        tuple(works),
        tuple(slug for slug in old_manifest.works if slug not in slugs),
        page_reason,
        tuple(problems),
    )


def _list_linkable_files(collection: ArtworkCollection, own_templates: Path | None) -> Iterable[str]:
    """Yield the files that about.md may link to although they are not written yet."""
    yield from ("index.html", "about.html", "404.html", feeds.ATOM_FILE, feeds.JSON_FEED_FILE)
    yield from (f"series/{series.slug}.html" for series in collection.series)
    yield from (f"pieces/{work.slug}.html" for work in collection.works)
    yield from (name for name, _ in templates.list_assets(own_templates, zoom=True))


def hash_file_settings(settings: SiteSettings) -> str:
    """Return a hash of what settings decide about the files of every work."""
    return json_hash([vars(settings.rendition_settings()), settings.originals, renditions.RENDITION_VERSION])


def hash_artwork_parts(
    work: Artwork, settings: SiteSettings, hashes: FileHashes, settings_hash: str
) -> dict[str, str]:
    """Return hashes of everything that determines the files of an artwork.

    Raises:
        ArtgenError: one of its own files cannot be read.
    """
    return {
        "picture": hashes.hash_file(work.source),
        "film": hashes.hash_file(work.film) if work.film else "",
        "stages": json_hash([_hash_stage(stage.preview, hashes) for stage in work.stages]),
        "words": json_hash(vars(describe_embedded_metadata(work, settings))),
        "settings": settings_hash,
    }


def _hash_stage(preview: Path, hashes: FileHashes) -> str:
    """Return the hash of a stage's preview; empty if it is lost: the piece is published without the stage."""
    try:
        return hashes.hash_file(preview)
    except ArtgenError:
        return ""


def describe_embedded_metadata(work: Artwork, settings: SiteSettings) -> EmbeddedMetadata:
    """Return the metadata that is written into every file of a work."""
    generated = xmp.GENERATED_SOURCE_TYPE if work.recipe is not None else ""
    return EmbeddedMetadata(work.title, work.alt, settings.artist, settings.rights, generated, "artgen")


def hash_page_parts(
    collection: ArtworkCollection,
    parts_by_slug: Mapping[str, Mapping[str, str]],
    settings: SiteSettings,
    hashes: FileHashes,
    own_templates: Path | None,
) -> dict[str, str]:
    """Return hashes of everything that determines a site's pages.

    Args:
        collection: what hangs.
        parts_by_slug: of each work that could be made, the parts of its files.
        settings: of the site.
        hashes: of templates and texts.
        own_templates: the artist's templates.
    """
    works = [
        (_page_fields(work), parts_by_slug[work.slug])
        for work in collection.works
        if work.slug in parts_by_slug
    ]
    about = settings.find_about_file()
    attachments = [enclosure.source for enclosure in enclosures.find_enclosures(settings)]
    texts = [*templates.list_page_sources(own_templates), *([about] if about else []), *attachments]
    return {
        "works": json_hash([[vars(series) for series in collection.series], works]),
        "settings": json_hash(settings.model_dump(mode="json")),
        "texts": json_hash([[file.name, hashes.hash_file(file)] for file in texts]),
        "program": _hash_program(hashes),
    }


def _page_fields(work: Artwork) -> dict[str, Any]:
    """Return what a page says about an artwork, besides its files."""
    fields = {
        name: getattr(work, name)
        for name in ("slug", "series", "number", "title", "caption", "alt", "recipe", "run")
    }
    draws = [getattr(work.candidate, name, None) for name in ("index", "seed", "variation_of", "draws")]
    stages = [stage[:-1] for stage in work.stages]
    return fields | {"at": work.picked_at, "stages": stages, "candidate": draws}


@cache
def _list_program_files() -> tuple[Path, ...]:
    return tuple(sorted(Path(__file__).parents[1].rglob("*.py")))


def _hash_program(hashes: FileHashes) -> str:
    """Return a hash of artgen's version and source files, so that a changed program renders pages again."""
    return json_hash([__version__, *(hashes.hash_file(file) for file in _list_program_files())])


def _explain_rendering(
    parts: Mapping[str, str], published: PublishedArtwork | None, intact_files: Mapping[str, int]
) -> str:
    if published is None:
        return "new"
    for part, reason in ARTWORK_REASONS.items():
        if parts[part] != published.parts.get(part):
            return reason
    missing_file = next((name for name in published.files if name not in intact_files), None)
    return f"{missing_file} is {MISSING_REASON}" if missing_file else ""


def _find_intact_files(site: Path, old_manifest: Manifest) -> dict[str, int]:
    """Return the files of the manifest that are in the site with the same size, and these sizes."""
    sizes = {}
    for folder_path, _, names in os.walk(site):
        folder = os.path.relpath(folder_path, site).replace(os.sep, "/")
        for name in names:
            path = name if folder == "." else f"{folder}/{name}"
            if (size := old_manifest.files.get(path)) is not None:
                status = os.lstat(os.path.join(folder_path, name))
                if stat.S_ISREG(status.st_mode) and status.st_size == size:
                    sizes[path] = size
    return sizes


def describe_plan(plan: Plan) -> Iterable[str]:
    """Yield the plan of a publishing as lines for the terminal."""
    for artwork in plan.made:
        yield f"make    {artwork.work.slug}: {artwork.why}"
    for slug in plan.removed:
        yield f"remove  {slug}"
    kept = len(plan.works) - len(plan.made)
    if kept:
        yield f"keep    {kept} as {'they are' if kept != 1 else 'it is'}"
    if plan.pages:
        yield f"pages   {plan.pages}"
    if plan.idle:
        yield "nothing to do"
