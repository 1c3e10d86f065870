"""Weights files of other programs (``.pth``), read without running anything that is in them.

A ``.pth`` is a pickle, and a pickle is a program: opening one in the ordinary way runs whatever its author
wrote into it. torch's ``weights_only`` reader accepts tensors and plain containers and nothing else.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.models.files.checkpoint import MAX_MODEL_BYTES

EXPECTED_FILE = "a table of weights, saved by torch.save(network.state_dict(), FILE)"
STATE_DICT_KEYS = ("state_dict",)  # under which files with other entries hold the state dict
WRAPPER_PREFIXES = ("module.", "_orig_mod.")  # of names saved by DataParallel and others; by torch.compile


@dataclass(frozen=True)
class WeightsFile:
    """Contents of another program's weights file: weights by name, on the CPU, and metadata."""

    weights: dict[str, Tensor]
    metadata: dict[str, str]


def read_weights_file(path: Path) -> WeightsFile:
    """Read a weights file of either kind: ``.safetensors``, or else ``.pth``, which has no metadata.

    Raises:
        ArtgenError: as ``read_pickled_weights``.
    """
    if path.suffix != ".safetensors":
        return WeightsFile(read_pickled_weights(path), {})
    try:
        _check_size(path)
        with safe_open(str(path), framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return WeightsFile(weights, dict(file.metadata() or {}))
    except OSError as error:
        raise ArtgenError(str(path), error.strerror or str(error), EXPECTED_FILE) from None
    except SafetensorError as error:
        raise ArtgenError(str(path), f"not a safetensors file ({error})", EXPECTED_FILE) from None


def read_pickled_weights(path: Path, max_bytes: int = MAX_MODEL_BYTES) -> dict[str, Tensor]:
    """Read the weights of a ``.pth`` by name, on the CPU.

    Args:
        path: the file.
        max_bytes: a file is refused if it, what it unpacks to, or its tensors take more.

    Raises:
        ArtgenError: the file is missing, too large, no table of weights, or holds code.
    """
    try:
        _check_size(path, max_bytes)
        with warnings.catch_warnings(action="ignore"):  # torch's own, about how the file was pickled
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ArtgenError(str(path), error.strerror or str(error), EXPECTED_FILE) from None
    except pickle.UnpicklingError as error:
        raise _unpickling_error(path, str(error)) from None
    except (RuntimeError, EOFError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ArtgenError(str(path), f"cannot be read ({reason})", EXPECTED_FILE) from None
    for key in STATE_DICT_KEYS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not content or not all(map(_is_weight, content.items())):
        raise ArtgenError(str(path), "no table of weights", EXPECTED_FILE)
    # A tensor may claim to be larger than what is stored of it.
    if sum(weight.numel() * weight.element_size() for weight in content.values()) > max_bytes:
        raise _too_large_error(path, max_bytes)
    weights = dict(content)
    for prefix in WRAPPER_PREFIXES:
        if all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): weight for name, weight in weights.items()}
    return weights


def _check_size(path: Path, max_bytes: int = MAX_MODEL_BYTES) -> None:
    """Refuse a weights file that is, or unpacks to, more bytes than any such network.

    Raises:
        ArtgenError: it is too large, or a damaged archive.
    """
    size_bytes = path.stat().st_size
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                size_bytes = max(size_bytes, sum(entry.file_size for entry in archive.infolist()))
    except OSError:
        raise
    except Exception as error:  # of a directory that does not match the file: nearly anything
        raise ArtgenError(str(path), f"a damaged archive ({error})", EXPECTED_FILE) from None
    if size_bytes > max_bytes:
        raise _too_large_error(path, max_bytes)


def _too_large_error(path: Path, max_bytes: int) -> ArtgenError:
    return ArtgenError(
        str(path), f"larger than {max_bytes / (1 << 30):.3g} GiB", "these networks are far smaller"
    )


def _unpickling_error(path: Path, message: str) -> ArtgenError:
    """Build the error for a refused weights file from the message, such as ``GLOBAL posix.system``."""
    callee = re.search(r"(?:GLOBAL|class|function) ([\w.]+\.\w+)", message)
    if callee is None:
        return ArtgenError(str(path), "not a weights file", EXPECTED_FILE)
    problem = f"holds more than weights: opened in the ordinary way it would call {callee[1]}"
    return ArtgenError(str(path), f"{problem}; nothing of it was run", EXPECTED_FILE)


def _is_weight(item: tuple[object, object]) -> bool:
    name, value = item
    is_dense = isinstance(value, Tensor) and value.layout == torch.strided and not value.is_meta
    return isinstance(name, str) and is_dense
