"""What a publishing would do, and why: nothing is kept that could be stale, nothing is made twice."""

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
    from artgen.gallery.publish.hashes import Hashes
    from artgen.gallery.publish.manifest import Made, Manifest
    from artgen.gallery.works.settings import SiteSettings
    from artgen.gallery.works.work import Artwork, ArtworkCollection

# Of each part of what decided a work's files, in the order of how telling it is.
REASONS = {
    "picture": "picture changed",
    "film": "film changed",
    "stages": "stages changed",
    "words": "title, alt text, artist or rights changed",
    "settings": "settings changed",
}
PAGES = {
    "works": "works changed",
    "settings": "settings changed",
    "texts": "templates, about.md or its files changed",
    "program": "artgen changed",
}
MISSING = "missing from the site"


@dataclass(frozen=True)
class Planned:
    """A work, and what is done about it.

    Attributes:
        work: it.
        parts: hashes of all that decides its files.
        why: they are made; empty where those of the site stay.
    """

    work: Artwork
    parts: dict[str, str]
    why: str


@dataclass(frozen=True)
class Plan:
    """What a publishing would do.

    Attributes:
        works: in order; without those of which a file cannot be read.
        removed: slugs of works that the site has and will have no more.
        pages: why pages are written; empty where they stay.
        problems: works that cannot be published, and files that a text lacks, each with its reason.
    """

    works: tuple[Planned, ...]
    removed: tuple[str, ...]
    pages: str
    problems: tuple[ArtgenError, ...]

    @property
    def made(self) -> tuple[Planned, ...]:
        """Those whose files are made."""
        return tuple(each for each in self.works if each.why)

    @property
    def idle(self) -> bool:
        """Whether the site stays as it is."""
        return not (self.made or self.removed or self.pages)


def plan(
    collection: ArtworkCollection,
    settings: SiteSettings,
    old: Manifest,
    site: Path,
    hashes: Hashes,
    own: Path | None = None,
) -> Plan:
    """Compare what is wanted with what a site holds. Reads, and writes nothing.

    Args:
        collection: what is wanted.
        settings: how.
        old: what the site says of itself.
        site: its folder.
        hashes: of every file that is read.
        own: the artist's templates.

    Raises:
        ArtgenError: a template cannot be read.
    """
    whole = _whole(site, old)
    form = form_of(settings)
    works, problems = [], []
    for work in collection.works:
        try:
            parts = parts_of(work, settings, hashes, form)
        except ArtgenError as error:
            problems.append(error)
            continue
        works.append(Planned(work, parts, _why(parts, old.works.get(work.slug), whole)))
    problems += enclosures.problems(settings, site, set(_offered(collection, own)))
    wanted = {each.work.slug for each in works}
    wanted_pages = decided(collection, {each.work.slug: each.parts for each in works}, settings, hashes, own)
    changed = next((PAGES[part] for part in PAGES if wanted_pages[part] != old.decided.get(part)), "")
    works_files = {name for made in old.works.values() for name in made.files}
    if not changed and any(name not in whole for name in old.files if name not in works_files):
        changed = MISSING
    return Plan(
        tuple(works), tuple(slug for slug in old.works if slug not in wanted), changed, tuple(problems)
    )


def _offered(collection: ArtworkCollection, own: Path | None) -> Iterable[str]:
    """Return what a text may link to although it is not there yet."""
    yield from ("index.html", "about.html", "404.html", feeds.ATOM, feeds.JSON_FEED)
    yield from (f"series/{series.slug}.html" for series in collection.series)
    yield from (f"pieces/{work.slug}.html" for work in collection.works)
    yield from (name for name, _ in templates.assets(own, zoom=True))


def form_of(settings: SiteSettings) -> str:
    """Return a hash of what settings decide about the files of every work."""
    return json_hash([vars(settings.rendition_settings()), settings.originals, renditions.RENDITION_VERSION])


def parts_of(work: Artwork, settings: SiteSettings, hashes: Hashes, form: str) -> dict[str, str]:
    """Hashes of all that decides the files of a work.

    Raises:
        ArtgenError: one of its own files cannot be read.
    """
    return {
        "picture": hashes.of(work.source),
        "film": hashes.of(work.film) if work.film else "",
        "stages": json_hash([_stage(stage.preview, hashes) for stage in work.stages]),
        "words": json_hash(vars(words_of(work, settings))),
        "settings": form,
    }


def _stage(preview: Path, hashes: Hashes) -> str:
    """Hash the preview of a stage; empty where it is lost: the piece is published without that stage."""
    try:
        return hashes.of(preview)
    except ArtgenError:
        return ""


def words_of(work: Artwork, settings: SiteSettings) -> EmbeddedMetadata:
    """Return the metadata that is written into every file of a work."""
    generated = xmp.GENERATED_SOURCE_TYPE if work.recipe is not None else ""
    return EmbeddedMetadata(work.title, work.alt, settings.artist, settings.rights, generated, "artgen")


def decided(
    collection: ArtworkCollection,
    made: Mapping[str, Mapping[str, str]],
    settings: SiteSettings,
    hashes: Hashes,
    own: Path | None,
) -> dict[str, str]:
    """Hashes of all that decides the pages.

    Args:
        collection: what hangs.
        made: of each work that could be made, the parts of its files.
        settings: of the site.
        hashes: of templates and texts.
        own: the artist's templates.
    """
    works = [(_told(work), made[work.slug]) for work in collection.works if work.slug in made]
    about = settings.find_about_file()
    enclosed = [each.source for each in enclosures.enclosures(settings)]
    texts = [*templates.files(own), *([about] if about else []), *enclosed]
    return {
        "works": json_hash([[vars(series) for series in collection.series], works]),
        "settings": json_hash(settings.model_dump(mode="json")),
        "texts": json_hash([[file.name, hashes.of(file)] for file in texts]),
        "program": _program(hashes),
    }


def _told(work: Artwork) -> dict[str, Any]:
    """Return what a page says about a work, besides its files."""
    told = {
        name: getattr(work, name)
        for name in ("slug", "series", "number", "title", "caption", "alt", "recipe", "run")
    }
    stages = [stage[:-1] for stage in work.stages]
    told |= {"at": work.picked_at}
    return told | {"stages": stages, "candidate": [work.index, work.seed, work.variation_of, work.draws]}


@cache
def _sources() -> tuple[Path, ...]:
    return tuple(sorted(Path(__file__).parents[1].rglob("*.py")))


def _program(hashes: Hashes) -> str:
    """Of whoever works on artgen itself, pages follow the program; else its version says enough."""
    return json_hash([__version__, *(hashes.of(file) for file in _sources())])


def _why(parts: Mapping[str, str], made: Made | None, whole: Mapping[str, int]) -> str:
    if made is None:
        return "new"
    for part, reason in REASONS.items():
        if parts[part] != made.parts.get(part):
            return reason
    gone = next((name for name in made.files if name not in whole), None)
    return f"{gone} is {MISSING}" if gone else ""


def _whole(site: Path, old: Manifest) -> dict[str, int]:
    """Files of ours that lie in the site as they were left, as far as their size tells."""
    found = {}
    for base, _, names in os.walk(site):
        inside = os.path.relpath(base, site).replace(os.sep, "/")
        for name in names:
            path = name if inside == "." else f"{inside}/{name}"
            if (size := old.files.get(path)) is not None:
                state = os.lstat(os.path.join(base, name))
                if stat.S_ISREG(state.st_mode) and state.st_size == size:
                    found[path] = size
    return found


def explained(plan: Plan) -> Iterable[str]:
    """Return the plan in lines, for a person."""
    for each in plan.made:
        yield f"make    {each.work.slug}: {each.why}"
    for slug in plan.removed:
        yield f"remove  {slug}"
    kept = len(plan.works) - len(plan.made)
    if kept:
        yield f"keep    {kept} as {'they are' if kept != 1 else 'it is'}"
    if plan.pages:
        yield f"pages   {plan.pages}"
    if plan.idle:
        yield "nothing to do"
