"""A folder tree of training images, decoded once into one flat file that the system maps into memory."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from artgen.errors import ArtgenError
from artgen.imaging.files import WriteError, atomic_write, read_image
from artgen.imaging.image import fit

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ImageSet:
    """Decoded images, ``(H, W, 3)`` uint8 views of one memory-mapped file.

    Attributes:
        names: paths relative to their folders.
        pixels: one array an image.
        fingerprint: SHA-256 over every file's name and bytes.
        skipped: what could not be read, and why.
    """

    names: tuple[str, ...]
    pixels: tuple[Pixels, ...]
    fingerprint: str
    skipped: tuple[str, ...]


def split(files: Sequence[Path], every: int = 20) -> tuple[list[Path], list[Path]]:
    """``(training, validation)``: every 20th by name is held out.

    Cuts of one photograph (``NAME_crop1``, ``NAME_crop2``) stay on the same side: they count as one name.
    """
    stems = sorted({_stem(file) for file in files})
    held = set(stems[::every]) if len(stems) >= every else set()
    return [f for f in files if _stem(f) not in held], [f for f in files if _stem(f) in held]


def _stem(file: Path) -> str:
    return re.sub(r"_crop\d*$", "", file.stem)


def load_images(files: Sequence[Path], cache: Path, *, side: int) -> ImageSet:
    """Decode ``files`` at most ``side`` px long into ``cache`` (or map what an earlier call left there).

    Raises:
        ArtgenError: when no file can be read.
    """
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode(errors="surrogateescape") + b"\0" + _hash(file))
    fingerprint = digest.hexdigest()
    index = cache / f"images-{fingerprint[:16]}-{side}.json"
    data = index.with_suffix(".u8")
    if not (index.exists() and data.exists()):
        try:
            _decode(files, index, data, side)
        except OSError as error:
            raise WriteError(data, error.strerror or str(error)) from error
    table = json.loads(index.read_text())
    if not table["images"]:
        raise ArtgenError(str(files[0].parent), "no image could be read", "; ".join(table["skipped"][:3]))
    flat = np.memmap(data, dtype=np.uint8, mode="r")
    pixels = tuple(
        flat[start : start + height * width * 3].reshape(height, width, 3)
        for _, start, height, width in table["images"]
    )
    names = tuple(name for name, *_ in table["images"])
    return ImageSet(names, pixels, fingerprint, tuple(table["skipped"]))


def _hash(file: Path) -> bytes:
    try:
        return hashlib.sha256(file.read_bytes()).digest()
    except OSError as error:  # told again, and skipped, when it is to be decoded
        return str(error.strerror).encode()


def _decode(files: Sequence[Path], index: Path, data: Path, side: int) -> None:
    index.parent.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[str, int, int, int]] = []
    skipped: list[str] = []
    with data.open("wb") as out:
        for file in files:
            try:
                image = read_image(file)
            except ArtgenError as error:
                skipped.append(str(error))
                continue
            if max(image.shape[-2:]) > side:
                image = fit(image, side)
            pixels = (image.permute(1, 2, 0) * 255).round().byte().contiguous().numpy()
            rows.append((f"{file.parent.name}/{file.name}", out.tell(), pixels.shape[0], pixels.shape[1]))
            out.write(pixels.tobytes())
    atomic_write(index, json.dumps({"images": rows, "skipped": skipped}).encode())
