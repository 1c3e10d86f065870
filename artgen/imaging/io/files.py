"""Pictures on disk: whatever people have, read into the one image type; writes that are whole or absent."""

from __future__ import annotations

import errno
import io
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from artgen.errors import ArtgenError, WriteError
from artgen.imaging.io.opening import MAX_PIXELS, SUPPORTED_FILES, UnknownFormatError, open_image

if TYPE_CHECKING:
    import PIL.Image
    from torch import Tensor

CONVERTED_STRIP_PIXELS = 4_000_000  # converted at once
TEMPORARY_FILE_PREFIX = ".artgen-tmp-"
# Smaller previews are kept exactly: a 32 px thumbnail must not show the blocks of lossy compression.
MAX_LOSSLESS_PREVIEW_SIDE_PX = 128
# Folders that cannot be opened or synced, as on some network drives: the file in them is whole all the same.
UNSYNCABLE_ERRNOS = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES, errno.EPERM}
# No write takes as long: an older leftover is swept even where its process number is another's by now.
MAX_WRITE_SECONDS = 3600.0


def read_image(path: Path, max_pixels: int = MAX_PIXELS) -> Tensor:
    """Read a picture as float32 ``(3, H, W)``, sRGB-encoded, ``[0, 1]``, upright.

    The EXIF orientation is applied, an embedded ICC profile or gamma converted to sRGB, transparency laid on
    white, the first frame of an animation taken. 16-bit grey and float colours keep their precision; Pillow
    reads 16-bit colour as 8.

    Args:
        path: the file; its content, not its name, tells the format.
        max_pixels: larger pictures are refused by their header, before anything is decoded.

    Raises:
        ArtgenError: naming the file and what is wrong with it.
    """
    path = Path(path)
    try:
        with open_image(path) as image:
            return _decode(path, image, max_pixels)
    except UnknownFormatError:
        import torch

        from artgen.imaging.io.libvips import read_unusual_tiff

        planes = read_unusual_tiff(path, max_pixels)
        if planes is None:
            raise
        return torch.from_numpy(planes)


def _decode(path: Path, image: PIL.Image.Image, max_pixels: int) -> Tensor:
    width, height = image.size
    if width * height > max_pixels:
        problem = f"{width} x {height} px is more than the {max_pixels / 1e6:.0f} million that are read"
        raise ArtgenError(str(path), problem, "give a smaller copy")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow warns of is either handled here or harmless
            image.load()
            return from_pillow(image)
    except ArtgenError as error:  # of an image that has no name
        raise ArtgenError(str(path), error.problem, error.expected) from None
    except MemoryError as error:
        raise ArtgenError(str(path), f"{width} x {height} px do not fit in memory", "", "") from error
    except Exception as error:  # decoders of broken files raise nearly anything
        raise ArtgenError(str(path), f"damaged or truncated ({error})", SUPPORTED_FILES) from error


def from_pillow(image: PIL.Image.Image, strip_pixels: int = CONVERTED_STRIP_PIXELS) -> Tensor:
    """Convert a Pillow image of any mode to float32 ``(3, H, W)``, as ``read_image`` does with a file's.

    Args:
        image: a loaded image.
        strip_pixels: as many are converted at once, so that little memory is needed besides the result.

    Raises:
        ArtgenError: the image has no pixels.
    """
    import numpy as np
    import torch

    from artgen.imaging.io.decode import apply_orientation, measure_grey_scale, to_srgb_array

    width, height = image.size
    if 0 in image.size:
        raise ArtgenError("image", f"{width} x {height} px", "an image has at least 1 px each way")
    rows, scale = max(1, strip_pixels // width), measure_grey_scale(image)
    planes = np.empty((3, height, width), np.float32)
    for top in range(0, height, rows):
        strip = image if rows >= height else image.crop((0, top, width, min(top + rows, height)))
        planes[:, top : top + rows] = to_srgb_array(strip, scale).transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(apply_orientation(planes, image)))


def write_png(path: Path, image: Tensor, text: Mapping[str, str]) -> None:
    """Write an 8-bit sRGB PNG atomically; the same arguments give the same bytes.

    Args:
        path: the file; its folder exists.
        image: ``(3, H, W)``, ``[0, 1]``.
        text: text chunks by keyword; what is not ASCII, and XMP, goes into ``iTXt``.

    Raises:
        WriteError: the disk is full or the folder not writable.
    """
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add(b"sRGB", b"\0")
    for keyword, value in text.items():
        is_plain = value.isascii() and not keyword.startswith("XML:")
        (chunks.add_text if is_plain else chunks.add_itxt)(keyword, value)
    atomic_write(path, encode_image(image, "PNG", pnginfo=chunks, compress_level=6))


def write_preview(path: Path, image: Tensor, side: int) -> None:
    """Write a WebP of at most ``side`` px, never enlarged; up to 128 px it is lossless.

    Raises:
        WriteError: the disk is full or the folder not writable.
    """
    from artgen.imaging.image import limit_longer_side

    small = limit_longer_side(image, side)
    lossless = max(small.shape[-2:]) <= MAX_LOSSLESS_PREVIEW_SIDE_PX
    atomic_write(path, encode_image(small, "WEBP", quality=88, lossless=lossless, method=4))


def atomic_write(path: Path, data: bytes) -> None:
    """Write the bytes of a file that is either whole or not there.

    Raises:
        WriteError: as ``atomic_file``.
    """
    with atomic_file(path) as file:
        file.write(data)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write that appears whole when the block ends, or never: temporary, fsync, rename.

    A pipe, a terminal or another device is written through when the block ends, and stays what it is.

    Raises:
        WriteError: the disk is full, the folder not writable, or the path no file's name.
    """
    try:
        if is_device(path):
            with tempfile.TemporaryFile() as file:
                yield file
                _write_through(path, file)
            return
        temporary = temporary_for(path)
        try:
            with temporary.open("xb") as file:
                yield file
            put(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(path, error.strerror or str(error)) from error


def temporary_for(path: Path) -> Path:
    """Return the name, next to ``path``, of a file that is written first and then ``put`` in its place.

    Raises:
        WriteError: the path is no file's name.
        ArtgenError: it is that of a pipe or another device.
    """
    if is_device(path):
        raise ArtgenError(str(path), "no regular file", "name a file, which this is put together in")
    try:
        if "\0" in path.name:
            raise ValueError("a zero byte in the name")
        return path.with_name(f"{TEMPORARY_FILE_PREFIX}{os.getpid()}-{secrets.token_hex(4)}")
    except ValueError as error:  # or no name at all
        raise WriteError(path, str(error)) from error


def put(temporary: Path, path: Path) -> None:
    """Give a complete temporary file its name once it is on the disk.

    Raises:
        OSError: the disk is full, or ``path`` a folder.
    """
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def is_device(path: Path) -> bool:
    """Return whether ``path`` is a pipe, a terminal or another device, which a renamed file would replace.

    ``/dev/stdout`` and the like name what is open already, be it a file.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return _descriptor(path) is not None or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _descriptor(path: Path) -> int | None:
    """Return the number of the open file that ``/dev/stdout`` or ``/dev/fd/3`` names; else None."""
    name = os.path.normpath(path.absolute())
    name = {"/dev/stdout": "/dev/fd/1", "/dev/stderr": "/dev/fd/2"}.get(name, name)
    matched = re.fullmatch(rf"/(?:dev|proc/self|proc/{os.getpid()})/fd/(\d+)", name)
    return int(matched[1]) if matched else None


def _write_through(path: Path, complete_file: BinaryIO) -> None:
    descriptor = _descriptor(path)
    if descriptor is None and stat.S_ISBLK(path.stat().st_mode):
        raise ArtgenError(str(path), "a disk", "name a file on it")
    opened = os.open(path, os.O_WRONLY) if descriptor is None else os.dup(descriptor)
    complete_file.seek(0)
    with os.fdopen(opened, "wb") as device:
        shutil.copyfileobj(complete_file, device)


def sweep(folder: Path) -> None:
    """Remove temporary files of killed processes from ``folder``; those of running processes stay."""
    for leftover in folder.glob(f"{TEMPORARY_FILE_PREFIX}*"):
        if not _being_written(leftover):
            leftover.unlink(missing_ok=True)


def _being_written(temporary: Path) -> bool:
    process = temporary.name.removeprefix(TEMPORARY_FILE_PREFIX).partition("-")[0]
    try:
        recent = time.time() - temporary.stat().st_mtime < MAX_WRITE_SECONDS
    except OSError:  # renamed or removed meanwhile
        return True
    if not recent or not process.isdecimal():
        return False
    if os.name == "nt":  # there os.kill would end it
        return True
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another person's
        return True
    try:  # a killed process whose parent has not noticed yet answers too
        state = Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True
    return state not in ("Z", "X")


def sync_folder(folder: Path) -> None:
    """Wait until the names of files in a folder are on disk, where its file system can tell.

    Raises:
        OSError: the disk failed.
    """
    if os.name == "nt":  # a folder cannot be opened there
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in UNSYNCABLE_ERRNOS:
            raise


def encode_image(image: Tensor, format_name: str, **options: Any) -> bytes:
    """Encode ``(3, H, W)`` in [0, 1] as 8-bit RGB in one of Pillow's formats."""
    buffer = io.BytesIO()
    to_pillow(image).save(buffer, format_name, **options)
    return buffer.getvalue()


def to_pillow(image: Tensor) -> PIL.Image.Image:
    """Convert ``(3, H, W)`` in [0, 1] to a Pillow image, 8-bit RGB."""
    from PIL import Image

    from artgen.imaging.image import to_byte_array

    return Image.fromarray(to_byte_array(image), "RGB")
