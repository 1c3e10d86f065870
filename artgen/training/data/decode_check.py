"""Decoding an image at a reduced size, to check that it is complete and to describe it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from artgen.errors import ArtgenError
from artgen.imaging.io.decode import ORIENTATION_TAG, ORIENTATION_TURNS, apply_orientation, to_srgb_array
from artgen.imaging.io.files import read_image, to_pillow
from artgen.imaging.io.opening import MAX_PIXELS, UnknownFormatError, count_frames, open_image
from artgen.subprocesses import count_usable_cores
from artgen.training.data.dhash import PerceptualHash, hash_image

MIN_DECODED_SIDE_PX = 144  # twice the side of the image that is hashed
# Modes whose values can be averaged; the others (palettes, 16 bit) are read at their full size.
AVERAGEABLE_MODES = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})
MAX_DECODE_THREADS = 8


@dataclass(frozen=True)
class ExaminedImage:
    """Format, size and other properties of a training image that was decoded to check it.

    Attributes:
        format: by its content: ``JPEG``, ``PNG``, ...
        width: px, upright.
        height: px, upright.
        cmyk: whether its colours are CMYK.
        has_orientation: whether an EXIF tag says that it must be turned or mirrored.
        transparent: whether any pixel is transparent.
        hash: its perceptual hash.
        frames: number of frames or pages, of which the first is described.
    """

    format: str
    width: int
    height: int
    cmyk: bool
    has_orientation: bool
    transparent: bool
    hash: PerceptualHash
    frames: int = 1


def examine_image(path: Path) -> ExaminedImage:
    """Decode a whole image, a JPEG at a fraction of its size, and describe it.

    Raises:
        ArtgenError: the image cannot be read, as in ``read_image``; a training would leave it out.
    """
    try:
        with open_image(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError("larger than is read")
            return _examine_opened_image(image)
    except UnknownFormatError:
        return replace(_examine_opened_image(to_pillow(read_image(path))), format="TIFF")
    except Exception as error:  # decoders of broken files raise nearly anything
        read_image(path)  # raises the error that a training would report
        raise ArtgenError(str(path), f"damaged or truncated ({error})") from error


def _examine_opened_image(image: Image.Image) -> ExaminedImage:
    size, mode, frames = image.size, image.mode, count_frames(image)
    format_name = (
        "JPEG" if image.format == "MPO" else str(image.format)
    )  # a JPEG followed by further pictures
    image.draft(None, (MIN_DECODED_SIDE_PX, MIN_DECODED_SIDE_PX))
    image.load()
    # Read after ``load``: ``getexif`` would load the image itself, and report damaged pixels as broken EXIF.
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block is ignored, as in ``apply_orientation``
        orientation = 1
    has_orientation = orientation in ORIENTATION_TURNS
    quarter_turns = ORIENTATION_TURNS.get(orientation, (False, 0))[1]
    factor = min(image.size) // MIN_DECODED_SIDE_PX
    # ``transparency`` is a colour or palette entry that means transparent: averaging would change it.
    averageable = mode in AVERAGEABLE_MODES and "transparency" not in image.info
    small = image.reduce(factor) if factor > 1 and averageable else image
    transparent = small.has_transparency_data and small.convert("RGBA").getchannel("A").getextrema()[0] != 255
    planes = apply_orientation(to_srgb_array(small).transpose(2, 0, 1), image)
    pixels = (planes.transpose(1, 2, 0) * 255).round().astype(np.uint8)
    width, height = size[::-1] if quarter_turns % 2 else size
    image_hash = hash_image(Image.fromarray(np.ascontiguousarray(pixels)))
    return ExaminedImage(
        format_name, width, height, mode == "CMYK", has_orientation, bool(transparent), image_hash, frames
    )


def examine_images(
    files: Sequence[Path], on_progress: Callable[[int], None] = lambda count: None
) -> Iterator[ExaminedImage | ArtgenError]:
    """Decode training images on every core, and yield the description or the error of each, in order.

    Args:
        files: images.
        on_progress: called with the number of images that are done.

    Yields:
        The properties of each image, or the error that says why it cannot be read.
    """

    def examine_or_return_error(path: Path) -> ExaminedImage | ArtgenError:
        try:
            return examine_image(path)
        except ArtgenError as error:
            return error

    pool = ThreadPoolExecutor(min(MAX_DECODE_THREADS, count_usable_cores()))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow warns of is either handled here or harmless
            for count, result in enumerate(pool.map(examine_or_return_error, files), 1):
                yield result
                on_progress(count)
    finally:
        pool.shutdown(cancel_futures=True)
