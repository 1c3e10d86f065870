"""What an image is, and whether all of it is there: decoded as a training will, but reduced."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from artgen.errors import ArtgenError
from artgen.imaging.io.decode import ORIENTATION, TURNS, srgb_array, upright
from artgen.imaging.io.files import FORMATS, MAX_PIXELS, read_image
from artgen.subprocesses import usable_cores
from artgen.training.data.dhash import Look, look

# Looks are taken on at least so many pixels a side: twice their own size.
SIDE = 144
# Modes whose values can be averaged; the others (palettes, 16 bit) are read at their full size.
AVERAGED = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})


@dataclass(frozen=True)
class Examined:
    """What an image is.

    Attributes:
        format: by its content: ``JPEG``, ``PNG``, ...
        width: px, upright.
        height: px.
        cmyk: whether its colours are printing inks.
        turned: whether EXIF says that it must be turned or mirrored.
        transparent: whether any of it is.
        look: for grey and duplicates.
    """

    format: str
    width: int
    height: int
    cmyk: bool
    turned: bool
    transparent: bool
    look: Look


def examine(path: Path) -> Examined:
    """Decode all of an image, JPEG at a fraction of its size.

    Raises:
        ArtgenError: as ``read_image``: a training would leave it out.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError("larger than is read")
            return _examined(image)
    except Exception as error:  # decoders of broken files raise nearly anything
        read_image(path)  # says what is wrong as a training would
        raise ArtgenError(str(path), f"damaged or truncated ({error})") from error


def _examined(image: Image.Image) -> Examined:
    size, mode = image.size, image.mode
    name = "JPEG" if image.format == "MPO" else str(image.format)  # a JPEG with further pictures behind it
    image.draft(None, (SIDE, SIDE))
    image.load()
    try:  # after ``load``: before, it would load by itself, and what is damaged would pass for broken EXIF
        orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:  # as for ``upright``: a broken block says nothing
        orientation = 1
    turned, quarters = orientation in TURNS, TURNS.get(orientation, (False, 0))[1]
    factor = min(image.size) // SIDE
    averaged = mode in AVERAGED and "transparency" not in image.info  # a colour that stands for clear
    small = image.reduce(factor) if factor > 1 and averaged else image
    clear = small.has_transparency_data and small.convert("RGBA").getchannel("A").getextrema()[0] != 255
    pixels = (upright(srgb_array(small), image) * 255).round().astype(np.uint8)
    width, height = size[::-1] if quarters % 2 else size
    seen = look(Image.fromarray(np.ascontiguousarray(pixels)))
    return Examined(name, width, height, mode == "CMYK", turned, bool(clear), seen)


def examine_all(
    files: Sequence[Path], seen: Callable[[int], None] = lambda count: None
) -> Iterator[Examined | ArtgenError]:
    """``examine`` of each file in its order, on every core; what cannot be read gives its error.

    Args:
        files: images.
        seen: told how many are done.
    """

    def one(path: Path) -> Examined | ArtgenError:
        try:
            return examine(path)
        except ArtgenError as error:
            return error

    pool = ThreadPoolExecutor(min(8, usable_cores()))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow warns of is either handled here or harmless
            for count, result in enumerate(pool.map(one, files), 1):
                yield result
                seen(count)
    finally:
        pool.shutdown(cancel_futures=True)
