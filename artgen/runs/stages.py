"""The cache of stages that are slow to compute, shared by all runs in a folder.

The key of a stage hashes everything that decides its pixels: the step with its drawn values, the files it
reads, its random stream, and the pixels before it. So if only the last step of a recipe changes, only that
step is computed again. A stage from the cache equals one that was just computed: both are rounded to 16 bits.
"""

from __future__ import annotations

import contextlib
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

STAGE_CACHE_FOLDER = ".stages"
MAX_CACHE_BYTES = 4 << 30
MAX_UINT16_LEVEL = 65535
_STAGE_FILE_MAGIC = b"artgen stage 1\n"
_STAGE_FILE_HEADER = struct.Struct("<II32s")


def quantise_image(image: Tensor) -> Pixels:
    """Convert a stage's image, ``(3, H, W)`` in ``[0, 1]`` on any device, to uint16 on the CPU."""
    import torch

    levels = (
        image.detach().to("cpu", torch.float32).clamp(0, 1).mul(MAX_UINT16_LEVEL).round_().to(torch.int32)
    )
    return levels.contiguous().numpy().astype("<u2")


def dequantise_image(pixels: Pixels) -> Tensor:
    """Convert a stage's uint16 ``(3, H, W)`` to float32 in ``[0, 1]``; inverts ``quantise_image``."""
    import torch

    return torch.from_numpy(pixels.astype("float32")).div_(MAX_UINT16_LEVEL)


def hash_pixels(pixels: Pixels) -> str:
    """Return the SHA-256 of a stage's shape and pixels."""
    return hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def hash_stage_inputs(
    *,
    step_fields: Mapping[str, Any],
    version: int,
    file_hashes: list[str],
    stream_key: int | None,
    device: str,
    input_hash: str,
) -> str:
    """Return the key of a stage in the stage cache: a hash of all that decides the stage's pixels.

    Args:
        step_fields: the step's ``use``, and its fields with drawn values.
        version: version of the step's code.
        file_hashes: SHA-256 of each file that the step reads.
        stream_key: key of the step's random stream; None if the step is not random.
        device: kind of device, and versions of the libraries.
        input_hash: ``hash_pixels`` of the stage before.
    """
    return json_hash([step_fields, version, file_hashes, stream_key, device, input_hash])


class StageCache:
    """A cache of stages on disk, from which the least recently used are removed first.

    Args:
        folder: where the stages are stored; created on first use.
        max_bytes: size of the cache after ``trim``.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_CACHE_BYTES) -> None:
        self.folder, self.max_bytes = folder, max_bytes

    def get(self, key: str) -> Pixels | None:
        """Read a stage from the cache; None if it is missing, or if its file is damaged and then removed."""
        path = self._stage_path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        pixels = _decode_stage(content)
        with contextlib.suppress(OSError):  # a cache that cannot be written can still be read
            if pixels is None:
                path.unlink(missing_ok=True)
            else:
                os.utime(path)
        return pixels

    def put(self, key: str, pixels: Pixels) -> None:
        """Store a stage in the cache if possible: a full disk must not stop the candidate."""
        if pixels.nbytes > self.max_bytes // 4:
            return
        with contextlib.suppress(OSError, WriteError):
            self.folder.mkdir(parents=True, exist_ok=True)
            atomic_write(self._stage_path(key), _encode_stage(pixels))

    def trim(self) -> None:
        """Remove temporary files of killed processes, and the least recently used stages above the limit."""
        if not self.folder.is_dir():
            return
        with contextlib.suppress(OSError):  # another run is trimming at the same time
            sweep(self.folder)
            files = [(path.stat(), path) for path in self.folder.glob("*.stage")]
            total_bytes = sum(status.st_size for status, _ in files)
            for status, path in sorted(files, key=lambda pair: pair[0].st_mtime):
                if total_bytes <= self.max_bytes:
                    return
                path.unlink(missing_ok=True)
                total_bytes -= status.st_size

    def _stage_path(self, key: str) -> Path:
        """Return the path of a stage's file in the cache, by the stage's key."""
        return self.folder / f"{key}.stage"


def _encode_stage(pixels: Pixels) -> bytes:
    """Return the content of a stage's cache file: magic bytes, size, checksum, pixels."""
    _, height, width = pixels.shape
    payload = pixels.tobytes()
    checksum = hashlib.sha256(_STAGE_FILE_HEADER.pack(height, width, b"") + payload).digest()
    return _STAGE_FILE_MAGIC + _STAGE_FILE_HEADER.pack(height, width, checksum) + payload


def _decode_stage(content: bytes) -> Pixels | None:
    """Return the pixels in a stage's cache file; None if it is damaged."""
    import numpy as np

    header_bytes = len(_STAGE_FILE_MAGIC) + _STAGE_FILE_HEADER.size
    if len(content) < header_bytes or not content.startswith(_STAGE_FILE_MAGIC):
        return None
    height, width, checksum = _STAGE_FILE_HEADER.unpack(content[len(_STAGE_FILE_MAGIC) : header_bytes])
    payload = content[header_bytes:]
    actual_checksum = hashlib.sha256(_STAGE_FILE_HEADER.pack(height, width, b"") + payload).digest()
    if len(payload) != 6 * height * width or actual_checksum != checksum:
        return None
    return np.frombuffer(payload, dtype="<u2").reshape(3, height, width)
