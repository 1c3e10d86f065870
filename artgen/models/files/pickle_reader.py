"""Weights files of other programs (``.pth``), read without running anything that is in them.

A ``.pth`` is a pickle, and a pickle is a program: opening one in the ordinary way runs whatever its maker
wrote into it. torch's ``weights_only`` reader knows tensors and plain containers and stops at anything else.
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
from artgen.models.files.checkpoint import LARGEST

RIGHT = "a table of weights, saved by torch.save(network.state_dict(), FILE)"
# What is around the table, or before each name, when it was saved out of a wrapper or with other things.
TABLES = ("state_dict",)
WRAPPERS = ("module.", "_orig_mod.")  # DataParallel and its kin; torch.compile


@dataclass(frozen=True)
class Table:
    """Weights by name, on the CPU, and what their file says of them."""

    weights: dict[str, Tensor]
    said: dict[str, str]


def read_table(path: Path) -> Table:
    """A weights file of either kind: ``.safetensors``, or else ``.pth``, which says nothing of itself.

    Raises:
        ArtgenError: as ``read_weights``.
    """
    if path.suffix != ".safetensors":
        return Table(read_weights(path), {})
    try:
        _limit(path)
        with safe_open(str(path), framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return Table(weights, dict(file.metadata() or {}))
    except OSError as error:
        raise ArtgenError(str(path), error.strerror or str(error), RIGHT) from None
    except SafetensorError as error:
        raise ArtgenError(str(path), f"not a safetensors file ({error})", RIGHT) from None


def read_weights(path: Path) -> dict[str, Tensor]:
    """The weights of a ``.pth`` by name, on the CPU.

    Raises:
        ArtgenError: the file is missing, too large, no table of weights, or holds code.
    """
    try:
        _limit(path)
        with warnings.catch_warnings(action="ignore"):  # torch's own, about how the file was pickled
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ArtgenError(str(path), error.strerror or str(error), RIGHT) from None
    except pickle.UnpicklingError as error:
        raise _refused(path, str(error)) from None
    except (RuntimeError, EOFError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ArtgenError(str(path), f"cannot be read ({reason})", RIGHT) from None
    for key in TABLES:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping) or not loaded or not all(map(_is_weight, loaded.items())):
        raise ArtgenError(str(path), "no table of weights", RIGHT)
    # A tensor may claim to be larger than what is stored of it.
    if sum(weight.numel() * weight.element_size() for weight in loaded.values()) > LARGEST:
        raise _too_large(path)
    weights = dict(loaded)
    for wrapper in WRAPPERS:
        if all(name.startswith(wrapper) for name in weights):
            weights = {name.removeprefix(wrapper): weight for name, weight in weights.items()}
    return weights


def _limit(path: Path) -> None:
    """Refuse what is, or unpacks to, more than any such network."""
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = max(size, sum(entry.file_size for entry in archive.infolist()))
    if size > LARGEST:
        raise _too_large(path)


def _too_large(path: Path) -> ArtgenError:
    return ArtgenError(str(path), "larger than 2 GiB", "these networks are far smaller")


def _refused(path: Path, said: str) -> ArtgenError:
    """The reader names what the file would call: ``GLOBAL posix.system``."""
    called = re.search(r"(?:GLOBAL|class|function) ([\w.]+\.\w+)", said)
    if called is None:
        return ArtgenError(str(path), "not a weights file", RIGHT)
    found = f"holds more than weights: opened in the ordinary way it would call {called[1]}"
    return ArtgenError(str(path), f"{found}; nothing of it was run", RIGHT)


def _is_weight(item: tuple[object, object]) -> bool:
    name, weight = item
    plain = isinstance(weight, Tensor) and weight.layout == torch.strided and not weight.is_meta
    return isinstance(name, str) and plain
