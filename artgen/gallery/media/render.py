"""What is made of each work: its renditions, its original, its tiles, its film."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.gallery.media import renditions
from artgen.gallery.media.renditions import Picture, Sizes
from artgen.gallery.media.xmp import Words, packet
from artgen.gallery.media.zoom import Pyramid, write_pyramid

MEGABYTE = 1_000_000
FOLDERS = ("images", "originals", "zoom", "films")
KINDS = {".jpg": "JPEG", ".tif": "TIFF", ".webp": "WebP"}  # others are called as they end
CARD = 1200  # px; what previews of links show at most
STAGE = 1024  # px; previews of stages are no larger


@dataclass(frozen=True)
class Original:
    """The picture as it was made, to download.

    Attributes:
        file: relative to the site.
        kind: of file, as ``PNG``.
        size: in words, as ``1.2 MB``.
    """

    file: str
    kind: str
    size: str


@dataclass(frozen=True)
class Film:
    """A film as its page shows it.

    Attributes:
        file: relative to the site.
        poster: the picture seen until it plays, relative to the site.
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
class Rendered:
    """Every file that was made of a work. Paths are relative to the site.

    Attributes:
        image: the work; of a film its poster.
        stages: from the source to the last step, None for one whose preview is lost or damaged; empty where
            nothing is known of them.
        original: None where visitors are not given it.
        pyramid: None where the renditions show all there is.
        film: None for a picture.
        card: a JPEG at most 1200 px wide, for whoever previews a link.
        taken: when the picture was, as far as its file says so; else empty.
        withheld: why there is no original although visitors are given them; else empty.
    """

    image: Picture
    stages: tuple[Picture | None, ...]
    original: Original | None
    pyramid: Pyramid | None
    film: Film | None
    card: str
    taken: str = ""
    withheld: str = ""


@dataclass(frozen=True)
class Task:
    """Everything that a process needs to know to make the files of a work.

    Attributes:
        slug: what their names begin with.
        source: the picture, or the film where no picture stands for it.
        film: None for a picture.
        stages: preview, width and height (of the stage itself, px) of each.
        words: what each file says about itself.
        sizes: of the renditions.
        original: whether visitors are given it.
    """

    slug: str
    source: Path
    film: Path | None
    stages: tuple[tuple[Path, int, int], ...]
    words: Words
    sizes: Sizes
    original: bool


def make(task: Task, site: Path) -> Rendered:
    """Write every file of a work into ``site``, whose ``FOLDERS`` exist.

    Raises:
        ArtgenError: a file of it is missing, damaged or no picture.
    """
    xmp = packet(task.words)
    if task.film is not None:
        return _film(task, task.film, site, xmp)
    image = renditions.render(task.source, site, task.slug, task.sizes, xmp)
    pyramid = write_pyramid(task.source, site, task.slug)
    original, withheld = _original(task, site, xmp) if task.original else (None, "")
    return Rendered(
        image=image,
        stages=_stages(task, image, site),
        original=original,
        pyramid=pyramid,
        film=None,
        card=_card(image, site, task.slug, xmp),
        taken=renditions.taken(task.source),
        withheld=withheld,
    )


def _film(task: Task, film: Path, site: Path, xmp: bytes) -> Rendered:
    import tempfile

    from artgen.gallery.media import films

    frame = films.first_frame(film)
    with tempfile.TemporaryDirectory() as place:
        still = task.source
        if still == film:
            still = Path(place) / "still.png"
            renditions.vips().Image.new_from_array(frame.rgb()).pngsave(str(still))
        image = renditions.render(still, site, task.slug, task.sizes, xmp)
    file = f"films/{task.slug}.mp4"
    films.write_film(film, site / file, xmp)
    card = _card(image, site, task.slug, xmp)
    return Rendered(image, (), None, None, Film(file, card, frame.width, frame.height), card)


def _stages(task: Task, image: Picture, site: Path) -> tuple[Picture | None, ...]:
    """The last stage is most often the work itself, and needs no files of its own."""
    made: list[Picture | None] = []
    for number, (preview, width, height) in enumerate(task.stages, 1):
        last = number == len(task.stages)
        if last and (width, height) == (image.width, image.height):
            made.append(image)
            continue
        words = replace(task.words, title=f"{task.words.title}, stage {number}", alt="")
        sizes = replace(task.sizes, widths=(STAGE,))
        name = f"{task.slug}_stage-{number}"
        try:
            made.append(renditions.render(preview, site, name, sizes, packet(words)))
        except ArtgenError:
            made.append(None)  # the work is whole, and hangs without it
            for begun in (site / "images").glob(f"{name}[._]*"):
                begun.unlink()
    return tuple(made)


def _original(task: Task, site: Path, xmp: bytes) -> tuple[Original | None, str]:
    """The original, or None and the reason why it is withheld: the work hangs without it."""
    from artgen.gallery.media import originals

    ending = originals.ending_of(task.source)
    file = f"originals/{task.slug}{ending}"
    try:
        originals.write_original(task.source, site / file, xmp)
    except ArtgenError as error:
        (site / file).unlink(missing_ok=True)
        return None, str(error)
    size = size_in_words((site / file).stat().st_size)
    return Original(file, KINDS.get(ending, ending[1:].upper()), size), ""


def size_in_words(size: int) -> str:
    """Of a file: ``1.2 MB``, ``48 kB``."""
    return f"{size / MEGABYTE:.1f} MB" if size >= MEGABYTE else f"{max(1, size // 1000)} kB"


def _card(image: Picture, site: Path, slug: str, xmp: bytes) -> str:
    """A JPEG there is already, or a small one enlarged: nobody previews a link by 32 px."""
    if listed := image.files.get("jpg"):
        return max((each for each in listed if each[1] <= CARD), key=lambda each: each[1], default=listed[0])[
            0
        ]
    return renditions.enlarged(site / image.source, site, f"images/{slug}_card.jpg", xmp)


def written(made: Rendered, site: Path) -> list[str]:
    """Every file of a work, relative to the site."""
    files = [name for picture in (made.image, *filter(None, made.stages)) for name in picture.written()]
    files += [made.card, *([made.original.file] if made.original else [])]
    files += [made.film.file] if made.film else []
    if made.pyramid:
        tiles = (site / made.pyramid.folder).rglob("*")
        files += [tile.relative_to(site).as_posix() for tile in tiles if tile.is_file()]
    return list(dict.fromkeys(files))


def clear(slug: str, site: Path) -> None:
    """Take away what a work that failed half-way has left in ``site``."""
    for name in FOLDERS:
        for file in (site / name).iterdir():
            if re.split("[._]", file.name)[0] == slug:
                shutil.rmtree(file) if file.is_dir() else file.unlink()
