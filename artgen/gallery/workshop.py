"""What is made of each work: its renditions, its original, its tiles, its film, by several processes."""

from __future__ import annotations

from dataclasses import dataclass

from artgen.gallery.renditions import Picture
from artgen.gallery.zoom import Pyramid


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
        stages: from the source to the last step; empty where nothing is known of them.
        original: None where visitors are not given it.
        pyramid: None where the renditions show all there is.
        film: None for a picture.
        card: a JPEG at most 1200 px wide, for whoever previews a link.
        year: in which the picture was taken, if its file says so.
    """

    image: Picture
    stages: tuple[Picture, ...]
    original: Original | None
    pyramid: Pyramid | None
    film: Film | None
    card: str
    year: int | None = None
