"""The sizes in which a site shows a picture: JPEG and WebP, each at a few widths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError

if TYPE_CHECKING:
    from PIL import Image

WIDTHS = (480, 960, 1600, 2560)
STAGE_WIDTH = 560
# A rendition this near to the picture's own width is not worth its bytes.
NEAR = 0.8
# A picture this small is shown enlarged with its pixels visible: it is what the machine was given.
THUMBNAIL_SIDE = 128
JPEG_QUALITY, WEBP_QUALITY = 88, 86


@dataclass(frozen=True)
class Picture:
    """One picture as a page refers to it.

    Attributes:
        source: the file for readers that know no ``srcset``, relative to the site.
        width: of the original, px; for the page's reserved space.
        height: of the original, px.
        jpeg: (file, width) by rising width; empty for a thumbnail.
        webp: the same in WebP.
        pixelated: enlarge it with hard pixels.
    """

    source: str
    width: int
    height: int
    jpeg: tuple[tuple[str, int], ...] = ()
    webp: tuple[tuple[str, int], ...] = ()
    pixelated: bool = False


def render(file: Path, site: Path, name: str) -> Picture:
    """Write the renditions of ``file`` into ``site/images`` and say where they are.

    Each carries the XMP of the original (which says that the picture is generated) and is sRGB.

    Args:
        file: the picture.
        site: the site's folder; ``images/`` exists in it.
        name: what the files' names begin with.

    Raises:
        ArtgenError: the file is missing, damaged or far too large.
    """
    with _open(file) as original:
        image = original.convert("RGB")
        xmp = original.info.get("xmp")
    if max(image.size) <= THUMBNAIL_SIDE:
        return _thumbnail(image, site, name)
    largest = min(image.width, WIDTHS[-1])
    jpeg, webp = [], []
    for width in [*(width for width in WIDTHS if width < NEAR * largest), largest]:
        small = _scaled(image, width)
        jpeg.append((f"images/{name}-{width}.jpg", width))
        webp.append((f"images/{name}-{width}.webp", width))
        extra = {"xmp": xmp} if xmp else {}
        small.save(site / jpeg[-1][0], "JPEG", quality=JPEG_QUALITY, progressive=True, optimize=True, **extra)
        small.save(site / webp[-1][0], "WEBP", quality=WEBP_QUALITY, method=4, **extra)
    middle = jpeg[min(1, len(jpeg) - 1)][0]
    return Picture(middle, *image.size, jpeg=tuple(jpeg), webp=tuple(webp))


def render_stage(file: Path, site: Path, name: str) -> Picture:
    """Write one small WebP of a stage's preview, or the thumbnail itself, into ``site/images``.

    Raises:
        ArtgenError: the file is missing, damaged or far too large.
    """
    with _open(file) as original:
        image = original.convert("RGB")
    if max(image.size) <= THUMBNAIL_SIDE:
        return _thumbnail(image, site, name)
    target = f"images/{name}.webp"
    small = _scaled(image, min(STAGE_WIDTH, image.width))
    small.save(site / target, "WEBP", quality=WEBP_QUALITY, method=4)
    return Picture(target, *small.size)


def _thumbnail(image: Image.Image, site: Path, name: str) -> Picture:
    target = f"images/{name}.png"
    image.save(site / target, "PNG", optimize=True)
    return Picture(target, *image.size, pixelated=True)


def _scaled(image: Image.Image, width: int) -> Image.Image:
    from PIL import Image

    if width == image.width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _open(file: Path) -> Image.Image:
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(file)
        image.load()
    except FileNotFoundError as error:
        raise ArtgenError(str(file), "missing", "make the candidate again, or take back its pick") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ArtgenError(str(file), f"damaged ({error})", "delete it and run its recipe again") from error
    except Image.DecompressionBombError as error:
        raise ArtgenError(str(file), "too large to be published", "pieces of up to 178 megapixels") from error
    return image
