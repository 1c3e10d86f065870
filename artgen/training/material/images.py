"""A folder tree of training images, decoded once into one flat file that the system maps into memory."""

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

from artgen.errors import ArtgenError, WriteError
from artgen.events import Emit, WorkProgress, ignore
from artgen.hashing import file_hash
from artgen.imaging.image import fit
from artgen.imaging.io.files import atomic_file, atomic_write, read_image, sweep

Pixels = npt.NDArray[np.uint8]
EVERY = 20
# A cache is taken for whole by its size and by so many pieces of it, bytes each: gigabytes take no time.
PIECES, PIECE = 256, 4096


@dataclass(frozen=True)
class ImageSet:
    """Decoded images, ``(H, W, 3)`` uint8 views of one memory-mapped file.

    Attributes:
        files: where they come from.
        pixels: one array an image.
        fingerprint: SHA-256 over the name and bytes of every file that was to be read.
        skipped: why a file could not be read.
    """

    files: tuple[Path, ...]
    pixels: tuple[Pixels, ...]
    fingerprint: str
    skipped: Mapping[Path, str]

    @property
    def names(self) -> tuple[str, ...]:
        """Names with their folders'."""
        return tuple(f"{file.parent.name}/{file.name}" for file in self.files)

    def only(self, places: Sequence[int]) -> ImageSet:
        """The images at ``places``, in that order."""
        files = tuple(self.files[place] for place in places)
        return replace(self, files=files, pixels=tuple(self.pixels[place] for place in places))


def split(files: Sequence[Path], every: int = EVERY) -> tuple[list[int], list[int]]:
    """Places of ``files`` for training and for validation: every 20th by name is held out.

    Cuts of one photograph (``NAME_crop1``, ``NAME_crop2``) stay on the same side: they count as one name.
    """
    stems = sorted({_stem(file) for file in files})
    held = set(stems[::every]) if len(stems) >= every else set()
    sides: tuple[list[int], list[int]] = [], []
    for place, file in enumerate(files):
        sides[_stem(file) in held].append(place)
    return sides


def _stem(file: Path) -> str:
    return re.sub(r"_crop\d*$", "", file.stem)


def load_images(
    files: Sequence[Path], cache: Path, *, side: int, emit: Emit = ignore, kind: str | None = None
) -> ImageSet:
    """Decode ``files`` at most ``side`` px long into ``cache`` (or map what an earlier call left there).

    Args:
        files: in any of the formats that are read.
        cache: a folder.
        side: px.
        emit: takes ``WorkProgress``.
        kind: what they are for; when they change, the cache of those before them is removed.

    Raises:
        ArtgenError: when no file can be read.
        WriteError: the disk is full or the folder not writable; nothing partial is left.
    """
    fingerprint = _fingerprint(files, emit)
    index = cache / f"{kind or 'images'}-{fingerprint[:16]}-{side}.json"
    data = index.with_suffix(".u8")
    table = _kept(index, data)
    if table is None:
        table = _decode(files, index, data, side, emit)
        if kind is not None:
            _sweep(index, kind)
    skipped = {files[place]: why for place, why in table["skipped"]}
    if not table["images"]:
        raise ArtgenError(str(files[0].parent), "no image could be read", "; ".join([*skipped.values()][:3]))
    flat = np.memmap(data, dtype=np.uint8, mode="r")
    pixels = tuple(
        flat[start : start + height * width * 3].reshape(height, width, 3)
        for _, start, height, width in table["images"]
    )
    return ImageSet(tuple(files[place] for place, *_ in table["images"]), pixels, fingerprint, skipped)


def _fingerprint(files: Sequence[Path], emit: Emit) -> str:
    digest = hashlib.sha256()
    for done, file in enumerate(files):
        emit(WorkProgress(done / len(files), f"looking for changes: image {done:,} of {len(files):,}"))
        digest.update(file.name.encode(errors="surrogateescape") + b"\0" + _hash(file))
    return digest.hexdigest()


def _hash(file: Path) -> bytes:
    try:
        return bytes.fromhex(file_hash(file))
    except ArtgenError as error:  # reported again, and skipped, when it is decoded
        return error.found.encode()


def _kept(index: Path, data: Path) -> dict[str, Any] | None:
    """What an earlier call left, if it is whole: a power cut may leave holes, or nothing but zeros."""
    try:
        table: dict[str, Any] = json.loads(index.read_bytes())
        return table if table["digest"] == _digest(data) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest(data: Path) -> str:
    """Of the size, and of pieces evenly spread."""
    size = data.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with data.open("rb") as file:
        for start in range(0, size, max(PIECE, size // PIECES)):
            file.seek(start)
            digest.update(file.read(PIECE))
    return digest.hexdigest()


def _decode(files: Sequence[Path], index: Path, data: Path, side: int, emit: Emit) -> dict[str, Any]:
    """Write the pixels, then the index that vouches for them."""
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(data, error.strerror or str(error)) from error
    sweep(data.parent)
    rows: list[tuple[int, int, int, int]] = []
    skipped: list[tuple[int, str]] = []
    with atomic_file(data) as out:
        for place, file in enumerate(files):
            emit(WorkProgress(place / len(files), f"decoding: image {place:,} of {len(files):,}"))
            try:
                image = read_image(file)
            except ArtgenError as error:
                skipped.append((place, str(error)))
                continue
            if max(image.shape[-2:]) > side:
                image = fit(image, side)
            pixels = (image.permute(1, 2, 0) * 255).round().byte().contiguous().numpy()
            rows.append((place, out.tell(), pixels.shape[0], pixels.shape[1]))
            out.write(pixels.tobytes())
    table = {"digest": _digest(data), "images": rows, "skipped": skipped}
    atomic_write(index, json.dumps(table).encode())
    return table


def _sweep(index: Path, kind: str) -> None:
    """Remove the caches of other images that were for the same."""
    for old in index.parent.glob(f"{kind}-{'[0-9a-f]' * 16}-*"):
        if old.suffix in (".json", ".u8") and old.stem != index.stem:
            with contextlib.suppress(OSError):  # where another process has it mapped
                old.unlink()
