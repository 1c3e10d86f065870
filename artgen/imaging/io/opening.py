"""Opening of pictures by their headers: the formats that artgen reads, whatever the files are called."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError
from artgen.imaging.io.png_text import large_profiles_allowed, open_without_texts

if TYPE_CHECKING:
    import PIL.Image

MAX_PIXELS = 160_000_000
PILLOW_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "AVIF", "JPEG2000")
SUPPORTED_FILES = "give a whole PNG, JPEG, WebP, TIFF, AVIF, HEIC, GIF, BMP, JPEG 2000 or PPM file"
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two: BigTIFF
HEIC_COMMAND = "pip install 'artgen[heic]'"
# How files of the formats begin, AVIF and HEIC aside.
SIGNATURES = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"RIFF",
    b"GIF8",
    b"\0\0\0\x0cjP",
    b"\xff\x4f\xff\x51",
    *TIFF_SIGNATURES,
)
# Kinds of ISO base media files (ISO/IEC 23008-12) whose pictures are HEVC, unless AVIF is among them too.
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
_pillow_limit_lock = threading.Lock()


class UnknownFormatError(ArtgenError):
    """The content of a file is no picture in a format that Pillow knows."""


@contextmanager
def open_image(path: Path) -> Iterator[PIL.Image.Image]:
    """Open a picture by its header; the caller limits its pixels, and decodes them.

    Raises:
        UnknownFormatError: no picture that Pillow knows.
        ArtgenError: one that cannot be read, or HEIC without the extra that reads it.
    """
    with large_profiles_allowed(), _open_header(path) as image:
        yield image


def count_frames(image: PIL.Image.Image) -> int:
    """Return the number of frames or pages, of which the first is read; 1 for a single picture.

    The further pictures of an MPO, such as the other eye's, are no frames.
    """
    return 1 if image.format in ("JPEG", "MPO") else int(getattr(image, "n_frames", 1))


def _open_header(path: Path) -> PIL.Image.Image:
    from PIL import Image, UnidentifiedImageError

    if path.exists() and not path.is_file():
        problem = "a folder, not a picture" if path.is_dir() else "not a regular file"
        raise ArtgenError(str(path), problem, SUPPORTED_FILES)
    try:
        if path.stat().st_size == 0:
            raise ArtgenError(str(path), "an empty file", SUPPORTED_FILES)
        formats = _formats_for(path)
        # Pillow's own limit is global and lower; ours is checked by the caller before decoding.
        with _pillow_limit_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                return Image.open(open_without_texts(path) or path, formats=formats)
            finally:
                Image.MAX_IMAGE_PIXELS = limit
    except ArtgenError:
        raise
    except UnidentifiedImageError as error:
        problem = "not a picture in a known format"
        if _read_start(path).startswith(SIGNATURES) or _read_start(path)[4:12] == b"ftypavif":
            problem = "damaged, or of a kind that is not read"
        raise UnknownFormatError(str(path), problem, SUPPORTED_FILES) from error
    except Exception as error:  # decoders of broken files raise nearly anything
        problem = f"damaged or truncated ({error})"
        if isinstance(error, OSError) and error.errno is not None:
            problem = f"cannot be read ({error.strerror or error})"
        raise ArtgenError(str(path), problem, SUPPORTED_FILES) from error


def _formats_for(path: Path) -> tuple[str, ...]:
    """Return the formats to try, after loading the reader of HEIC if that is what the file is.

    Raises:
        ArtgenError: it is, and there is no such reader.
    """
    start = _read_start(path)
    if start[4:8] != b"ftyp" or start[8:12] not in HEIF_BRANDS or b"avif" in start:
        return PILLOW_FORMATS
    if not _load_heif_reader():
        raise ArtgenError(str(path), "a HEIC picture", "the extra `heic` reads it", HEIC_COMMAND)
    return ("HEIF",)


def _read_start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


@cache
def _load_heif_reader() -> bool:
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True
