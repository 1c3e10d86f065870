"""Stages that were dear to make, kept by content and shared by all runs of a folder.

The key of a stage is what decided its pixels: the step with its drawn values, the files it read, its
random stream, and the pixels it was given. So a recipe whose last step changed makes only that step
again. A stage that is read back equals one that was just made: every stage is rounded to 16 bits
either way.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import WriteError
from artgen.hashing import json_hash
from artgen.imaging.io.files import atomic_write, sweep

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Pixels = NDArray[np.uint16]

FOLDER = ".stages"
LIMIT = 4 << 30
LEVELS = 65535
_MAGIC = b"artgen stage 1\n"
_HEAD = struct.Struct("<II32s")


def quantise(image: Tensor) -> Pixels:
    """``(3, H, W)`` in ``[0, 1]``, on any device, to uint16 on the CPU."""
    import torch

    levels = image.detach().to("cpu", torch.float32).clamp(0, 1).mul(LEVELS).round_().to(torch.int32)
    return levels.contiguous().numpy().astype("<u2")


def restore(pixels: Pixels) -> Tensor:
    """uint16 ``(3, H, W)`` to float32 in ``[0, 1]``; ``quantise`` undoes it exactly."""
    import torch

    return torch.from_numpy(pixels.astype("float32")).div_(LEVELS)


def pixels_hash(pixels: Pixels) -> str:
    """What a stage's pixels are known by."""
    return hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def stage_key(
    *, part: Mapping[str, Any], version: int, files: list[str], stream: int | None, device: str, given: str
) -> str:
    """What decides the pixels of a stage, as one hash.

    Args:
        part: the step's ``use`` and its fields with drawn values.
        version: of the step's code.
        files: SHA-256 of each file it reads.
        stream: the key of its random stream; None if chance has no part.
        device: the kind of device, and the versions that computed it.
        given: ``pixels_hash`` of the stage before.
    """
    return json_hash([part, version, files, stream, device, given])


class StageCache:
    """Stored stages, the least recently used removed first.

    Args:
        folder: where they are kept; made when first needed.
        limit: bytes that may stay after ``trim``.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder, self.limit = folder, limit

    def get(self, key: str) -> Pixels | None:
        """The stage, or None when it is not there or its file is damaged (which is then removed)."""
        file = self._file(key)
        try:
            content = file.read_bytes()
        except OSError:
            return None
        pixels = _unpack(content)
        try:
            if pixels is None:
                file.unlink(missing_ok=True)
            else:
                os.utime(file)
        except OSError:
            pass  # a cache that cannot be written can still be read
        return pixels

    def put(self, key: str, pixels: Pixels) -> None:
        """Keep a stage, if it can be kept: a full disk is no reason to lose the candidate."""
        if pixels.nbytes > self.limit // 4:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            atomic_write(self._file(key), _pack(pixels))
        except (OSError, WriteError):
            return

    def trim(self) -> None:
        """Remove leftovers of killed writes, and the least recently used beyond the limit."""
        if not self.folder.is_dir():
            return
        try:
            sweep(self.folder)
            found = [(file.stat(), file) for file in self.folder.glob("*.stage")]
            total = sum(stat.st_size for stat, _ in found)
            for stat, file in sorted(found, key=lambda pair: pair[0].st_mtime):
                if total <= self.limit:
                    return
                file.unlink(missing_ok=True)
                total -= stat.st_size
        except OSError:
            return  # another run is trimming at the same time

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.stage"


def _pack(pixels: Pixels) -> bytes:
    _, height, width = pixels.shape
    head = _HEAD.pack(height, width, b"")
    payload = pixels.tobytes()
    check = hashlib.sha256(head + payload).digest()
    return _MAGIC + _HEAD.pack(height, width, check) + payload


def _unpack(content: bytes) -> Pixels | None:
    import numpy as np

    start = len(_MAGIC) + _HEAD.size
    if len(content) < start or not content.startswith(_MAGIC):
        return None
    height, width, check = _HEAD.unpack(content[len(_MAGIC) : start])
    payload = content[start:]
    if len(payload) != 6 * height * width:
        return None
    if hashlib.sha256(_HEAD.pack(height, width, b"") + payload).digest() != check:
        return None
    return np.frombuffer(payload, dtype="<u2").reshape(3, height, width)
