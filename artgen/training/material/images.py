"""Training images, decoded once into one flat cache file that is mapped into memory."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from artgen.errors import ArtgenError, report_write_errors
from artgen.events import Emit, WorkProgress, ignore_event
from artgen.hashing import file_hash
from artgen.imaging.image import resize_longer_side
from artgen.imaging.io.files import atomic_file, atomic_write, read_image, sweep

Pixels = npt.NDArray[np.uint8]
"""An image ``(H, W, 3)``."""
HOLD_OUT_EVERY = 20  # images
# A cache of gigabytes is checked fast: by its size and by this many chunks of it.
CACHE_DIGEST_CHUNKS, CACHE_DIGEST_CHUNK_BYTES = 256, 4096


@dataclass(frozen=True)
class ImageSet:
    """Decoded training images and the files that they come from.

    Attributes:
        files: the image files.
        pixels: for each file ``(H, W, 3)`` uint8, a view of one memory-mapped file.
        fingerprint: SHA-256 of the names and bytes of all files, including the skipped ones.
        skipped: the files that could not be read, each with the reason.
    """

    files: tuple[Path, ...]
    pixels: tuple[Pixels, ...]
    fingerprint: str
    skipped: Mapping[Path, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The training images' names, each with the name of its folder."""
        return tuple(f"{file.parent.name}/{file.name}" for file in self.files)

    def subset(self, indices: Sequence[int]) -> ImageSet:
        """Return the training images at ``indices``, in that order."""
        files = tuple(self.files[index] for index in indices)
        return replace(self, files=files, pixels=tuple(self.pixels[index] for index in indices))


def split_validation(files: Sequence[Path], every: int = HOLD_OUT_EVERY) -> tuple[list[int], list[int]]:
    """Return the indices of ``files`` for training and for validation: every 20th name is held out.

    Crops of one photograph (``NAME_crop1``, ``NAME_crop2``) count as one name, so that they are not
    separated.
    """
    stems = sorted({_stem_without_crop(file) for file in files})
    held_out = set(stems[::every]) if len(stems) >= every else set()
    training: list[int] = []
    validation: list[int] = []
    for index, file in enumerate(files):
        (validation if _stem_without_crop(file) in held_out else training).append(index)
    return training, validation


def _stem_without_crop(file: Path) -> str:
    return re.sub(r"_crop\d*$", "", file.stem)


def load_images(
    files: Sequence[Path],
    cache_folder: Path,
    *,
    max_side: int,
    emit: Emit = ignore_event,
    kind: str | None = None,
) -> ImageSet:
    """Decode training images into a cache file, or map the cache that an earlier call wrote.

    Args:
        files: images in any format that artgen reads.
        cache_folder: folder of the cache files.
        max_side: images are reduced to at most this longer side, px.
        emit: receives ``WorkProgress``.
        kind: the images' use, ``data`` or ``inputs``. When the images of a kind change, its older caches are
            removed.

    Raises:
        ArtgenError: no file can be read.
        WriteError: the disk is full or the folder not writable; no partial file is left.
    """
    fingerprint = _fingerprint_files(files, emit)
    index_file = cache_folder / f"{kind or 'images'}-{fingerprint[:16]}-{max_side}.json"
    pixel_file = index_file.with_suffix(".u8")
    index = _read_cache_index(index_file, pixel_file)
    if index is None:
        index = _decode_to_cache(files, index_file, pixel_file, max_side, emit)
        if kind is not None:
            _remove_old_caches(index_file, kind)
    skipped = {files[file_index]: reason for file_index, reason in index["skipped"]}
    if not index["images"]:
        raise ArtgenError(str(files[0].parent), "no image could be read", "; ".join([*skipped.values()][:3]))
    flat = np.memmap(pixel_file, dtype=np.uint8, mode="r")
    pixels = tuple(
        flat[start : start + height * width * 3].reshape(height, width, 3)
        for _, start, height, width in index["images"]
    )
    decoded_files = tuple(files[file_index] for file_index, *_ in index["images"])
    return ImageSet(decoded_files, pixels, fingerprint, skipped)


def _fingerprint_files(files: Sequence[Path], emit: Emit) -> str:
    digest = hashlib.sha256()
    for file_index, file in enumerate(files):
        emit(
            WorkProgress(
                file_index / len(files), f"looking for changes: image {file_index:,} of {len(files):,}"
            )
        )
        digest.update(file.name.encode(errors="surrogateescape") + b"\0" + _hash_file(file))
    return digest.hexdigest()


def _hash_file(file: Path) -> bytes:
    try:
        return bytes.fromhex(file_hash(file))
    except ArtgenError as error:  # the file will be reported and skipped when it is decoded
        return error.problem.encode()


def _read_cache_index(index_file: Path, pixel_file: Path) -> dict[str, Any] | None:
    """Read the index of an image cache; None if it is damaged, as a power cut may leave it."""
    try:
        index: dict[str, Any] = json.loads(index_file.read_bytes())
        return index if index["digest"] == _digest_pixels(pixel_file) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest_pixels(pixel_file: Path) -> str:
    """Hash the size of the image cache's file and evenly spaced chunks of it."""
    size = pixel_file.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with pixel_file.open("rb") as stream:
        for start in range(0, size, max(CACHE_DIGEST_CHUNK_BYTES, size // CACHE_DIGEST_CHUNKS)):
            stream.seek(start)
            digest.update(stream.read(CACHE_DIGEST_CHUNK_BYTES))
    return digest.hexdigest()


def _decode_to_cache(
    files: Sequence[Path], index_file: Path, pixel_file: Path, max_side: int, emit: Emit
) -> dict[str, Any]:
    """Write the pixels of all training images, then the index with their digest; return the index."""
    with report_write_errors(pixel_file):
        pixel_file.parent.mkdir(parents=True, exist_ok=True)
    sweep(pixel_file.parent)
    rows: list[tuple[int, int, int, int]] = []
    skipped: list[tuple[int, str]] = []
    with atomic_file(pixel_file) as stream:
        for file_index, file in enumerate(files):
            emit(WorkProgress(file_index / len(files), f"decoding: image {file_index:,} of {len(files):,}"))
            try:
                image = read_image(file)
            except ArtgenError as error:
                skipped.append((file_index, str(error)))
                continue
            if max(image.shape[-2:]) > max_side:
                image = resize_longer_side(image, max_side)
            pixels = (image.permute(1, 2, 0) * 255).round().byte().contiguous().numpy()
            rows.append((file_index, stream.tell(), pixels.shape[0], pixels.shape[1]))
            stream.write(pixels.tobytes())
    index = {"digest": _digest_pixels(pixel_file), "images": rows, "skipped": skipped}
    atomic_write(index_file, json.dumps(index).encode())
    return index


def _remove_old_caches(index_file: Path, kind: str) -> None:
    """Remove the image caches of ``kind`` other than the one of ``index_file``."""
    for file in index_file.parent.glob(f"{kind}-{'[0-9a-f]' * 16}-*"):
        if file.suffix in (".json", ".u8") and file.stem != index_file.stem:
            with contextlib.suppress(OSError):  # another process has it mapped
                file.unlink()
