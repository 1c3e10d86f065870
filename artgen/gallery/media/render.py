"""All files of one artwork: renditions, original, zoom tiles, film and link preview."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.gallery.media import renditions
from artgen.gallery.media.renditions import RenditionSet, RenditionSettings
from artgen.gallery.media.xmp import EmbeddedMetadata, build_xmp_packet
from artgen.gallery.media.zoom import TilePyramid, write_tile_pyramid
from artgen.imaging.io.libvips import load_vips

BYTES_PER_MEGABYTE = 1_000_000
MEDIA_FOLDERS = ("images", "originals", "zoom", "films")
FORMAT_NAME_BY_ENDING = {
    ".jpg": "JPEG",
    ".tif": "TIFF",
    ".webp": "WebP",
}  # others are called like their ending
MAX_PREVIEW_WIDTH_PX = 1200  # px; link previews show no more
STAGE_PREVIEW_WIDTH_PX = 1024  # px; previews of stages are no larger


@dataclass(frozen=True)
class OriginalFile:
    """The original picture that a site's visitors can download.

    Attributes:
        file: relative to the site.
        kind: name of the file format, as ``PNG``.
        size: of the file in words, as ``1.2 MB``.
    """

    file: str
    kind: str
    size: str


@dataclass(frozen=True)
class FilmFile:
    """A film as its page on the site shows it.

    Attributes:
        file: relative to the site.
        poster: picture shown until the film plays, relative to the site.
        width: px.
        height: px.
        kind: its MIME type.
    """

    file: str
    poster: str
    width: int
    height: int
    kind: str = "video/mp4"


@dataclass(frozen=True)
class RenderedArtwork:
    """All files of a site made of an artwork. Paths are relative to the site.

    Attributes:
        image: the picture; of a film its poster.
        stages: from the source to the last step, None for a stage whose preview is missing or damaged; empty
            for a plain picture.
        original: None if visitors cannot download it.
        pyramid: None if the renditions show every detail.
        film: None for a picture.
        card: a JPEG at most 1200 px wide, for link previews.
        taken: when the picture was taken, by its Exif; else empty.
        withheld: why there is no original although the settings allow it; else empty.
    """

    image: RenditionSet
    stages: tuple[RenditionSet | None, ...]
    original: OriginalFile | None
    pyramid: TilePyramid | None
    film: FilmFile | None
    card: str
    taken: str = ""
    withheld: str = ""


@dataclass(frozen=True)
class RenderTask:
    """All that a worker process needs to make an artwork's files for a site.

    Attributes:
        slug: beginning of the files' names.
        source: the picture; the film if no picture is its poster.
        film: None for a picture.
        stages: preview file of each stage, and width and height of the stage's picture, px.
        metadata: written into each file.
        rendition_settings: widths, formats and qualities.
        with_original: whether visitors can download the original.
    """

    slug: str
    source: Path
    film: Path | None
    stages: tuple[tuple[Path, int, int], ...]
    metadata: EmbeddedMetadata
    rendition_settings: RenditionSettings
    with_original: bool


def render_artwork(task: RenderTask, site: Path) -> RenderedArtwork:
    """Write all files of an artwork into ``site``, in which ``MEDIA_FOLDERS`` exist.

    Raises:
        ArtgenError: a file of the artwork is missing, damaged or no picture.
    """
    xmp = build_xmp_packet(task.metadata)
    if task.film is not None:
        return _render_film(task, task.film, site, xmp)
    image = renditions.write_renditions(task.source, site, task.slug, task.rendition_settings, xmp)
    pyramid = write_tile_pyramid(task.source, site, task.slug)
    original, withheld = _write_original(task, site, xmp) if task.with_original else (None, "")
    return RenderedArtwork(
        image=image,
        stages=_render_stages(task, image, site),
        original=original,
        pyramid=pyramid,
        film=None,
        card=_choose_card(image, site, task.slug, xmp),
        taken=renditions.read_date_taken(task.source),
        withheld=withheld,
    )


def _render_film(task: RenderTask, film: Path, site: Path, xmp: bytes) -> RenderedArtwork:
    """Copy a film, and write renditions of its poster, which is its first frame if it has no other."""
    import tempfile

    from artgen.gallery.media import films

    frame = films.read_first_frame(film)
    with tempfile.TemporaryDirectory() as folder:
        poster = task.source
        if poster == film:
            poster = Path(folder) / "still.png"
            load_vips().Image.new_from_array(frame.to_rgb()).pngsave(str(poster))
        image = renditions.write_renditions(poster, site, task.slug, task.rendition_settings, xmp)
    file = f"films/{task.slug}.mp4"
    films.copy_film(film, site / file, xmp)
    card = _choose_card(image, site, task.slug, xmp)
    return RenderedArtwork(image, (), None, None, FilmFile(file, card, frame.width, frame.height), card)


def _render_stages(task: RenderTask, image: RenditionSet, site: Path) -> tuple[RenditionSet | None, ...]:
    """Write a rendition of each stage; the last one is mostly the artwork itself and shares its files."""
    stages: list[RenditionSet | None] = []
    for number, (preview, width, height) in enumerate(task.stages, 1):
        is_last = number == len(task.stages)
        if is_last and (width, height) == (image.width, image.height):
            stages.append(image)
            continue
        metadata = replace(task.metadata, title=f"{task.metadata.title}, stage {number}", alt="")
        settings = replace(task.rendition_settings, widths=(STAGE_PREVIEW_WIDTH_PX,))
        name = f"{task.slug}_stage-{number}"
        try:
            xmp = build_xmp_packet(metadata)
            stages.append(renditions.write_renditions(preview, site, name, settings, xmp))
        except ArtgenError:
            stages.append(None)  # the artwork itself is fine, and is shown without this stage
            for partial_file in (site / "images").glob(f"{name}[._]*"):
                partial_file.unlink()
    return tuple(stages)


def _write_original(task: RenderTask, site: Path, xmp: bytes) -> tuple[OriginalFile | None, str]:
    """Write an artwork's original; return it, or None and the reason why it is not offered."""
    from artgen.gallery.media import originals

    ending = originals.published_ending(task.source)
    file = f"originals/{task.slug}{ending}"
    try:
        originals.write_original(task.source, site / file, xmp)
    except ArtgenError as error:
        (site / file).unlink(missing_ok=True)
        return None, str(error)
    size = format_file_size((site / file).stat().st_size)
    return OriginalFile(file, FORMAT_NAME_BY_ENDING.get(ending, ending[1:].upper()), size), ""


def format_file_size(byte_count: int) -> str:
    """Format a file's size for readers: ``1.2 MB``, ``48 kB``."""
    if byte_count >= BYTES_PER_MEGABYTE:
        return f"{byte_count / BYTES_PER_MEGABYTE:.1f} MB"
    return f"{max(1, byte_count // 1000)} kB"


def _choose_card(image: RenditionSet, site: Path, slug: str, xmp: bytes) -> str:
    """Return the file for link previews: a JPEG rendition, or a thumbnail enlarged to a new JPEG."""
    if jpegs := image.files.get("jpg"):
        fitting = ((file, width) for file, width in jpegs if width <= MAX_PREVIEW_WIDTH_PX)
        file, _ = max(fitting, key=lambda file_and_width: file_and_width[1], default=jpegs[0])
        return file
    return renditions.write_enlarged(site / image.source, site, f"images/{slug}_card.jpg", xmp)


def list_written_files(rendered: RenderedArtwork, site: Path) -> list[str]:
    """List all files of an artwork, relative to the site."""
    rendition_sets = (rendered.image, *filter(None, rendered.stages))
    files = [name for rendition_set in rendition_sets for name in rendition_set.list_files()]
    files += [rendered.card, *([rendered.original.file] if rendered.original else [])]
    files += [rendered.film.file] if rendered.film else []
    if rendered.pyramid:
        tiles = (site / rendered.pyramid.folder).rglob("*")
        files += [tile.relative_to(site).as_posix() for tile in tiles if tile.is_file()]
    return list(dict.fromkeys(files))


def remove_files(slug: str, site: Path) -> None:
    """Remove what an artwork that could not be rendered has left in ``site``."""
    for folder in MEDIA_FOLDERS:
        for path in (site / folder).iterdir():
            if re.split("[._]", path.name)[0] == slug:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
